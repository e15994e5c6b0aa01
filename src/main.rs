//! Entry point: parse, act, print one error, exit.

use std::process::ExitCode;

use pop_before_smtp::cli::{Command, List, Share};
use pop_before_smtp::commands::site::Site;
use pop_before_smtp::commands::{catalogue, clear, everywhere, explain, inspect, report, suggest};
use pop_before_smtp::config::{self, Config, dump, effective, servers};
use pop_before_smtp::output::error::Error;
use pop_before_smtp::output::logger;
use pop_before_smtp::postfix::{self, mynetworks};
use pop_before_smtp::{check, daemon};

fn main() -> ExitCode {
    logger::init(logger::foreground());
    logger::tell_panics();
    match run() {
        Ok(code) => code,
        Err(error) => {
            log::error!("{error}");
            ExitCode::from(error.exit as u8)
        }
    }
}

fn run() -> Result<ExitCode, Error> {
    let asked = match effective::read(std::env::args_os())? {
        Ok(asked) => asked,
        Err(text) => return inspect::print(&text).map(|()| ExitCode::SUCCESS),
    };
    postfix::choose(&asked.options)?;
    let done = match &asked.command {
        _ if asked.dump_config => inspect::print(&dump::settings(&asked.options)?),
        Some(Command::Check { probe }) => {
            return check::run(&asked.options, *probe).map(|verdict| ExitCode::from(verdict as u8));
        }
        None => daemon::run(Config::new(&asked.options)?),
        Some(Command::Clear) => {
            clear::clear(&config::table(&asked.options)?)?;
            asked.mistake.map_or(Ok(()), Err)
        }
        Some(Command::List(List { all: true, form })) => everywhere::list(&asked.options, form.json),
        Some(Command::List(List { form, .. })) => Site::new(&asked.options)?.list(form.json),
        Some(Command::Explain { address, form }) => Site::new(&asked.options)?.explain(address, form.json),
        Some(Command::Status { form, prometheus }) => Site::new(&asked.options)?.status(form.json, *prometheus),
        Some(Command::Revoke { address, everywhere: false }) => Site::new(&asked.options)?.revoke(address),
        Some(Command::Revoke { address, .. }) => everywhere::revoke(&asked.options, address),
        Some(Command::Grant { address, length }) => {
            let length = length.as_deref().map(|text| config::length(&asked.options, "--for", text)).transpose()?;
            Site::new(&asked.options)?.grant(address, length)
        }
        Some(Command::Deny(what)) if what.everywhere => everywhere::deny(&asked.options, what),
        Some(Command::Deny(what)) => Site::new(&asked.options)?.deny(what),
        Some(Command::Match(what)) => match &what.explain {
            Some(line) => {
                let networks = config::never_published(&asked.options)?;
                let networks = mynetworks::add(networks, config::skips_mynetworks(&asked.options))?;
                explain::line(&config::matchers(&asked.options)?.of_any_host(), &networks, line)
            }
            None if what.suggest => suggest::files(&config::matchers(&asked.options)?.to_suggest(), &what.files),
            None => {
                let said = config::said_of_newlines(&asked.options);
                inspect::events(&config::matchers(&asked.options)?.of_any_host(), what, said)
            }
        },
        Some(Command::Report(what)) => return report::run(&asked.options, what),
        Some(Command::Matchers { format }) => {
            inspect::print(&catalogue::table(&asked.options.file.custom(), &servers::seen_here(), *format))
        }
        Some(Command::Share { what: Share::Init { print, longest } }) => {
            everywhere::init(&asked.options, *print, longest.as_deref())
        }
        Some(Command::PostfixConfig) => inspect::print(&postfix::configuration(&config::table(&asked.options)?)),
    };
    done.map(|()| ExitCode::SUCCESS)
}
