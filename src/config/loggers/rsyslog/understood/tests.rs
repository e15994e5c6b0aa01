#![allow(clippy::unwrap_used)]
use super::super::tests::DEBIAN;
use super::*;

const LOG: &str = "/var/log/mail.log";

/// As RHEL 9 ships it, shortened.
const RED_HAT: &str = r#"##### BEGIN CONFIG: /etc/rsyslog.conf (put on stack)
global(workDirectory="/var/lib/rsyslog")
module(load="builtin:omfile" Template="RSYSLOG_TraditionalFileFormat")
module(load="imuxsock"    # provides support for local system logging (e.g. via logger command)
   SysSock.Use="off")
module(load="imjournal"             # provides access to the systemd journal
   UsePid="system" # PID number is retrieved as the ID of the process
   StateFile="imjournal.state")
include(file="/etc/rsyslog.d/*.conf" mode="optional")
mail.*                                                  -/var/log/mail.log
# ### sample forwarding rule ###
#action(type="omfwd" Target="remote_host" Port="XXX" Protocol="tcp")
"#;

fn escapes_in(text: &str) -> bool {
    escapes(text, &[LOG], &["/usr/sbin/rsyslogd".to_owned(), "-n".to_owned(), "-iNONE".to_owned()]).is_ok()
}

#[test]
fn what_distributions_ship_is_understood() {
    assert_eq!(escapes(DEBIAN, &[LOG], &["rsyslogd".to_owned()]), Ok(()));
    assert_eq!(escapes(RED_HAT, &[LOG], &["rsyslogd".to_owned()]), Ok(()));
    let why = escapes(DEBIAN, &["/var/log/maillog"], &[]).unwrap_err();
    assert_eq!(why, "its configuration does not name it");
    assert!(escapes(DEBIAN, &["/var/log/maillog", LOG], &[]).is_ok(), "by its other name");
}

#[test]
fn what_changes_no_message_is_passed_over() {
    let remote = "ruleset(name=\"r\" queue.type=\"LinkedList\") { action(type=\"omfile\" file=\"/var/log/r.log\") }\n";
    for text in [
        "$EscapeControlCharactersOnReceive on",
        "global(parser.escapeControlCharactersOnReceive=\"on\" net.enableDNS=\"off\")",
        "#$EscapeControlCharactersOnReceive off",
        "global(parser.spaceLFOnReceive=\"on\")",
        "module(load=\"imudp\")\nmodule(load=\"omrelp\")",
        &format!("module(load=\"imudp\")\n{remote}input(type=\"imudp\" port=\"514\" ruleset=\"r\")"),
        &format!("{remote}input(type=\"imfile\" File=\"/x\" Tag=\"x\" ruleset=\"r\")"),
        "input(type=\"imuxsock\" Socket=\"/srv/x/dev/log\" CreatePath=\"on\" rateLimit.Interval=\"0\")",
        "$template Remote,\"/var/log/%HOSTNAME%.log\"\n*.* ?Remote",
        "template(name=\"x\" type=\"string\" string=\"%msg%\\n\")\naction(type=\"omfile\" file=\"/var/log/x\" template=\"x\")",
        "*.* @@loghost",
        "if $programname == 'dovecot' then { stop }",
        "mail.err /var/log/mail.log;RSYSLOG_FileFormat",
        "action(type=\"omfile\" File=\"/var/log/mail.log\" template=\"RSYSLOG_SyslogProtocol23Format\")",
        "mail.* /var/log/mail.log.old",
    ] {
        assert!(escapes_in(&format!("{DEBIAN}\n{text}\n")), "{text}");
    }
}

#[test]
fn what_is_not_understood_means_not_escaped() {
    let udp = "input(type=\"imudp\" port=\"514\"";
    for text in [
        "$EscapeControlCharactersOnReceive off",
        "$escapecontrolcharactersonreceive OFF",
        "ruleset(name=\"x\") { $EscapeControlCharactersOnReceive off\n}",
        "global(workDirectory=\"/x\"\n parser.escapeControlCharactersOnReceive=\"off\")",
        "global(parser.escapeControlCharactersOnReceive = \"off\" )",
        "global(parser.escapeControlCharactersOnReceive=`echo $X`)",
        "global(parser.escapeControlCharactersOnReceive='off')",
        "global(parser.escapeControlCharactersOnReceive=\"on\" parser.escapeControlCharactersOnReceive=\"off\")",
        "global(parser.escapeControlCharactersOnReceive=\"off\"",
        "global /* x */ (parser.escapeControlCharactersOnReceive=\"off\")",
        "set $.x = '#'; global(parser.escapeControlCharactersOnReceive=\"off\")",
        "global(parser.parseHostnameAndTag=\"off\")",
        "global(oversizemsg.input.mode=\"split\")",
        "$ControlCharacterEscapePrefix x",
        "$DropTrailingLFOnReception off",
        "$RulesetParser rsyslog.pmnull",
        "parser(name=\"x\" type=\"pmnull\")",
        "ruleset(name=\"x\" parser=\"x\") { stop }",
        "module(load=\"mmjsonparse\")",
        "action(type=\"mmnormalize\" rule=\"rule=:%x:rest%\")",
        "$ModLoad mmnormalize",
        "module(load=\"imkafka\")",
        "module(load=\"imuxsock\" SysSock.Annotate=\"on\")",
        "input(type=\"imuxsock\" Socket=\"/x\" UseSpecialParser=\"off\")",
        "input(type=\"imfile\" File=\"/var/log/nginx/error.log\" Tag=\"nginx\")",
        &format!("{udp})"),
        &format!("{udp} ruleset=\"gone\")"),
        &format!("ruleset(name=\"r\") {{ mail.* /var/log/mail.log\n}}\n{udp} ruleset=\"r\")"),
        &format!("ruleset(name=\"r\") {{ call other\n}}\n{udp} ruleset=\"r\")"),
        "$UDPServerRun 514",
        "$InputTCPServerRun 514",
        "$ActionFileDefaultTemplate mine",
        "$template RSYSLOG_TraditionalFileFormat,\"%rawmsg%\\n\"",
        "template(name=\"RSYSLOG_FileFormat\" type=\"string\" string=\"%msg%\")",
        "module(load=\"builtin:omfile\" template=\"mine\")",
        "mail.* /var/log/mail.log;mine",
        "action(type=\"omfile\" file=\"/var/log/mail.log\" template=\"mine\")",
        "$outchannel x,/var/log/mail.log,1000,/bin/x",
        "include(text=\"$EscapeControlCharactersOnReceive off\")",
        "$NoSuchDirective yes",
    ] {
        assert!(!escapes_in(&format!("{DEBIAN}\n{text}\n")), "{text}");
    }
    for text in ["", "input(", "\"", "ß(global(ß", "mail.* /var/log/mail.log;"] {
        assert!(!escapes_in(text), "{text}");
    }
}

#[test]
fn other_arguments_are_not_understood() {
    let with = |arguments: &[&str]| {
        let arguments: Vec<_> = ["rsyslogd"].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        escapes(DEBIAN, &[LOG], &arguments).is_ok()
    };
    assert!(with(&[]) && with(&["-n", "-iNONE"]) && with(&["-n", "-f", "/etc/x", "-i", "/run/x"]));
    assert!(!with(&["-M", "/usr/local/lib"]) && !with(&["-n", "x"]) && !with(&["-d"]));
}

#[test]
fn the_files_of_a_configuration_are_found() {
    let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
    let expected = (paths(&["/etc/rsyslog.conf", "/etc/rsyslog.d/postfix.conf"]), paths(&["/etc/rsyslog.d"]));
    assert_eq!(sources(DEBIAN), Some(expected));
    assert_eq!(sources(RED_HAT), Some((paths(&["/etc/rsyslog.conf"]), paths(&["/etc/rsyslog.d"]))));
    for text in ["", "mail.* /x", "##### BEGIN CONFIG: x.conf (put on stack)", "##### BEGIN CONFIG: /x"] {
        assert_eq!(sources(text), None, "{text}");
    }
    for line in ["include(file=`echo $X`)", "include(text=\"x\")", "$IncludeConfig /etc/*/x", "$IncludeConfig x"] {
        assert_eq!(sources(&format!("{RED_HAT}{line}\n")), None, "{line}");
    }
}
