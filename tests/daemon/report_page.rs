//! The page of `report`: what strangers wrote is text in it, and a real browser shows it.

use crate::report::{lines, report};
use crate::support::command::finish;
use crate::support::{Need, Scratch, require};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A name that is the end of a script, a script, and an image from elsewhere; no longer than Dovecot logs one.
const HOSTILE: &str = "</script><script>console.log('owned')</script><img src=http://evil.invalid/x>";

fn hostile_page(home: &Scratch) -> PathBuf {
    let text = lines(0..400)
        .replace("user=<kevin>", &format!("user=<{HOSTILE}>"))
        .replace("kevin@example.net", "a@\"><svg/onload=alert(1)>");
    let refused = "NOQUEUE: reject: RCPT from x[203.0.113.9]: 554 5.7.1 <a@b.example>: Relay access denied; from=";
    let refused = format!(
        "2026-09-21T15:00:00Z mail postfix/smtpd[7]: {refused}<{HOSTILE}> to=<a@b.example> proto=ESMTP helo=<x>\n"
    );
    let idle = "2026-09-21T15:00:01Z mail dovecot: imap-login: Login: user=<idle>, method=PLAIN, rip=203.0.113.8, lip=192.0.2.25\n";
    fs::write(home.join("<b>log"), text + &refused + idle).unwrap();
    let done = report(home.path(), &["--html", "page.html", "<b>log"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    home.join("page.html")
}

#[test]
fn the_page_holds_no_markup_of_strangers_and_allows_its_own_parts_alone() {
    use base64::Engine as _;
    let home = Scratch::new();
    let page = fs::read_to_string(hostile_page(&home)).unwrap();
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;console.log(&#39;owned&#39;)"), "the name is there");
    for markup in ["<img", "<b>", "<svg/", "http://evil.invalid/x\""] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
    // The policy names the hashes of what stands there.
    for element in ["style", "script"] {
        let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
        let text = rest.split_once(&format!("</{element}>")).unwrap().0;
        fs::write(home.join("part"), text).unwrap();
        let sum = finish(Command::new("sha256sum").arg(home.join("part"))).stdout;
        let bytes: Vec<u8> = (0..32).map(|nth| u8::from_str_radix(&sum[nth * 2..nth * 2 + 2], 16).unwrap()).collect();
        let hash = base64::engine::general_purpose::STANDARD.encode(bytes);
        assert!(page.contains(&format!("{element}-src 'sha256-{hash}'")), "{element}: {hash}");
    }
    assert!(page.contains("default-src 'none'") && !page.contains("unsafe"));
    // What a screen reader needs.
    assert!(page.contains("<html lang=\"en\">") && page.matches("<h1>").count() == 1);
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=").count());
    assert!(!page.contains("<th>") && page.contains("<th scope=\"row\""));
}

/// What a browser has to be: with the colours of a scheme, as wide as a screen and as a phone.
const SCHEMES: [(&str, &str); 2] = [("light", "rgb(255, 255, 255)"), ("dark", "rgb(16, 20, 24)")];
const WIDTHS: [u32; 2] = [1280, 390];

/// Tells the page around what has become of this one, as JSON without markup.
const PROBE: &str = r#"
document.querySelectorAll("details").forEach(one => one.open = true);
document.querySelector("table.sort th span").click();
const seen = {
  width: innerWidth,
  background: getComputedStyle(document.body).backgroundColor,
  fits: document.documentElement.scrollWidth <= innerWidth,
  buttons: document.querySelectorAll("th [role=button]").length,
  strange: document.querySelectorAll("img, svg[onload], script:not(.own)").length,
  shown: document.body.innerText.includes("\x3c/script>\x3cscript>console.log('owned')\x3c/script>\x3cimg src=http://evil.invalid/x"),
};
const told = violations => parent.postMessage(JSON.stringify({ ...seen, violations }), "*");
globalThis.axe ? axe.run().then(run => told(run.violations.map(one =>
  [one.id, one.nodes.map(node => node.html.slice(0, 120) + ": " + node.failureSummary)]))) : told([]);
"#;

/// A real browser: nothing on its console, no request for anything in the page, names shown as text, nothing to scroll sideways.
///
/// `KEEP=DIRECTORY` keeps the pictures, to look at. `AXE=FILE` has the page looked at by axe.min.js of the npm package
/// axe-core, too; what it finds fails the test.
#[test]
fn a_browser_shows_the_page() {
    if !require(&[Need::Program("chromium")]) {
        return;
    }
    let home = Scratch::new();
    let page = fs::read_to_string(hostile_page(&home)).unwrap();
    let axe = std::env::var_os("AXE").map(|file| fs::read_to_string(file).unwrap()).unwrap_or_default();
    // Without its policy, so that the probe may run.
    let (begin, rest) = page.split_once("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let rest = rest.split_once('>').unwrap().1.replace("<script>", "<script class=own>");
    let probe = format!("<script class=own>{axe}</script><script class=own>{PROBE}</script></body></html>");
    fs::write(home.join("probe.html"), format!("{begin}{rest}").replace("</body></html>", &probe)).unwrap();
    // A window is never as narrow as a phone, a frame may be.
    let frames = |name: &str| {
        let frame = |width: &u32| format!("<iframe src='{name}' width='{width}' height='3200'></iframe>");
        let frames: String = WIDTHS.iter().map(frame).collect();
        let listen = "onmessage = told => document.body.append(Object.assign(document.createElement('pre'), { textContent: told.data }))";
        format!("<!DOCTYPE html><html lang=en><title>x</title><body><script>{listen}</script>{frames}")
    };
    fs::write(home.join("frames.html"), frames("page.html")).unwrap();
    fs::write(home.join("probes.html"), frames("probe.html")).unwrap();
    // All at once: each takes a second or two, most of which is its start.
    let looks = SCHEMES.map(|(scheme, background)| {
        let picture = format!("--screenshot={}", home.join(&format!("{scheme}.png")).display());
        let shown = chromium(&home, scheme, "frames.html", &["--window-size=1720,3300", &picture]);
        (scheme, background, shown, chromium(&home, scheme, "probes.html", &["--dump-dom"]))
    });
    for (scheme, background, shown, probed) in looks {
        let done = shown.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && !told.contains("CONSOLE"), "{scheme}: {told}");
        let requests = fs::read_to_string(home.join(&format!("{scheme}-frames.html.json"))).unwrap();
        assert!(requests.contains("frames.html") && !requests.contains("evil.invalid"), "{scheme}: a request");
        if let Some(keep) = std::env::var_os("KEEP") {
            let name = format!("{scheme}.png");
            fs::copy(home.join(&name), Path::new(&keep).join(&name)).unwrap();
        }
        let done = probed.wait_with_output().unwrap();
        let dom = String::from_utf8(done.stdout).unwrap();
        let mut seen: Vec<Value> =
            dom.split("<pre>").skip(1).map(|told| unescape(told.split("</pre>").next().unwrap())).collect();
        seen.sort_by_key(|seen| std::cmp::Reverse(seen["width"].as_u64()));
        assert_eq!(seen.len(), WIDTHS.len(), "{scheme}: {dom}");
        for (seen, width) in seen.iter().zip(WIDTHS) {
            assert_eq!((&seen["width"], &seen["background"]), (&width.into(), &background.into()), "{scheme}");
            assert_eq!(
                (&seen["fits"], &seen["shown"], &seen["strange"]),
                (&true.into(), &true.into(), &0.into()),
                "{scheme}: {seen:#}"
            );
            assert!(seen["buttons"].as_u64() > Some(5), "its own script has run");
            assert_eq!(seen["violations"], Value::Array(Vec::new()), "{scheme}, {width}: {seen:#}");
        }
    }
}

/// What can only be clicked is not printed, and what it hides is.
#[test]
fn paper_holds_what_the_page_folds_away() {
    if !require(&["chromium", "pdftotext"].map(Need::Program)) {
        return;
    }
    let home = Scratch::new();
    hostile_page(&home);
    let pdf = home.join("page.pdf").display().to_string();
    let done = chromium(&home, "dark", "page.html", &[&format!("--print-to-pdf={pdf}")]).wait_with_output().unwrap();
    assert!(done.status.success(), "{done:?}");
    if let Some(keep) = std::env::var_os("KEEP") {
        fs::copy(&pdf, Path::new(&keep).join("page.pdf")).unwrap();
    }
    let text = finish(Command::new("pdftotext").args(["-layout", &pdf, "-"])).stdout;
    let has = |wanted: &str| text.lines().any(|line| line.trim_matches(['•', ' ']).starts_with(wanted));
    assert!(has("idle") && !has("Show only rows with"), "{text}");
}

fn unescape(text: &str) -> Value {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&text).unwrap()
}

fn chromium(home: &Scratch, scheme: &str, file: &str, arguments: &[&str]) -> std::process::Child {
    let preferred = if scheme == "dark" { 0 } else { 1 };
    let name = format!("{scheme}-{file}");
    Command::new("timeout")
        .args([
            "120",
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--enable-logging=stderr",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=60000"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--blink-settings=preferredColorScheme={preferred}"))
        .arg(format!("--user-data-dir={}", home.join(&format!("{name}.profile")).display()))
        .arg(format!("--log-net-log={}", home.join(&format!("{name}.json")).display()))
        .args(arguments)
        .arg(format!("file://{}", home.join(file).display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
