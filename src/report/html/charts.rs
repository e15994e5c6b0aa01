//! Charts as inline SVG. Colours and fonts come from the page's style; numbers alone are written, so nothing is to be escaped
//! but dates.

use std::fmt::Write as _;

use super::super::summary::{Day, GraceRow, Strip};

/// Room at the left for numbers, and size of the charts.
const LEFT: f64 = 88.0;
const WIDTH: f64 = 960.0;
const PANEL: f64 = 120.0;

/// Room above a panel, for its name.
const GAP: f64 = 40.0;

/// One of the numbers of a day.
type Number = fn(&Day) -> u64;

/// Messages of each day, by grant above and by SASL below, each with a scale of its own, under one row of dates.
pub(super) fn days(days: &[Day]) -> String {
    let mut out = String::new();
    let most = |of: Number| days.iter().map(of).max().unwrap_or(0);
    let told = format!(
        "Messages of each day from {} to {}. By a grant at most {} a day, by SASL at most {}, refused recipients at most {}.",
        days.first().map_or("", |day| &day.day),
        days.last().map_or("", |day| &day.day),
        most(|day| day.by_grant),
        most(|day| day.by_sasl),
        most(|day| day.refused)
    );
    let panels: [(&str, &str, Number); 3] = [
        ("grant", "by a grant: the line that must fall to zero", |day| day.by_grant),
        ("sasl", "by SASL", |day| day.by_sasl),
        ("refused", "refused", |day| day.refused),
    ];
    let height = panels.len() as f64 * (PANEL + GAP) + 34.0;
    let _ = write!(out, r#"<svg class="days" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{told}">"#);
    for (nth, (class, name, of)) in panels.iter().enumerate() {
        let top = nth as f64 * (PANEL + GAP) + GAP;
        let numbers: Vec<u64> = days.iter().map(of).collect();
        let _ = write!(out, r#"<text class="name" x="{LEFT}" y="{}">{name}</text>"#, top - 8.0);
        panel(&mut out, class, &numbers, top, |nth| days[nth].day.clone());
    }
    // As many dates as there is room for; on a phone every third of them.
    let step = days.len().div_ceil(9).max(1);
    for (nth, day) in days.iter().step_by(step).enumerate() {
        let x = LEFT + (nth * step) as f64 * (WIDTH - LEFT) / days.len().max(1) as f64;
        if x > WIDTH - 90.0 {
            break;
        }
        let class = if nth % 3 == 0 { "" } else { r#" class="more""# };
        let _ = write!(out, r#"<text{class} x="{x:.1}" y="{}">{}</text>"#, height - 4.0, day.day);
    }
    out + "</svg>"
}

fn panel(out: &mut String, class: &str, numbers: &[u64], top: f64, name: impl Fn(usize) -> String) {
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let bottom = top + PANEL;
    let _ = write!(
        out,
        r#"<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH}" y2="{bottom}"/><text x="{x}" y="{}" text-anchor="end">{most}</text><text x="{x}" y="{bottom}" text-anchor="end">0</text>"#,
        top + 10.0,
        x = LEFT - 8.0,
    );
    let room = (WIDTH - LEFT) / numbers.len().max(1) as f64;
    for (nth, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
        let height = (*number as f64 / most as f64 * PANEL).max(1.5);
        let (x, width) = (LEFT + nth as f64 * room + room * 0.12, (room * 0.76).min(40.0));
        let _ = write!(
            out,
            r#"<rect class="{class}" x="{x:.1}" y="{:.1}" width="{width:.1}" height="{height:.1}"><title>{}: {number}</title></rect>"#,
            bottom - height,
            name(nth)
        );
    }
}

/// One number for each grace, the recommended one marked.
pub(super) fn graces(rows: &[GraceRow], best: Option<u64>, what: &str, of: fn(&GraceRow) -> u64) -> String {
    const WIDTH: f64 = 420.0;
    const HEIGHT: f64 = 190.0;
    let mut out = String::new();
    let told: Vec<String> = rows.iter().map(|row| format!("{} minutes: {}", row.minutes, of(row))).collect();
    let _ = write!(out, r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{what}. {}.">"#, told.join(", "));
    let most = rows.iter().map(of).max().unwrap_or(0).max(1) as f64;
    let (room, bottom) = (WIDTH / rows.len().max(1) as f64, HEIGHT - 24.0);
    let _ = write!(out, r#"<line class="axis" x1="0" y1="{bottom}" x2="{WIDTH}" y2="{bottom}"/>"#);
    for (nth, row) in rows.iter().enumerate() {
        let number = of(row);
        let height = number as f64 / most * (bottom - 24.0);
        let (x, class) = (nth as f64 * room, if Some(row.minutes) == best { "best" } else { "sasl" });
        let (middle, y) = (x + room / 2.0, bottom - height);
        let _ = write!(
            out,
            r#"<rect class="{class}" x="{:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}"/><text x="{middle:.1}" y="{:.1}" text-anchor="middle">{number}</text><text class="name" x="{middle:.1}" y="{}" text-anchor="middle">{} min</text>"#,
            x + room * 0.15,
            room * 0.7,
            y - 6.0,
            HEIGHT - 6.0,
            row.minutes
        );
    }
    out + "</svg>"
}

/// A small bar for each day. A device draws a comb, a person a rag.
pub(super) fn strip(days: &Strip) -> String {
    let most = days.iter().max().unwrap_or(0).max(1) as f64;
    let (length, active) = (days.len(), days.iter().filter(|number| *number > 0).count());
    let mut out = format!(
        r#"<svg class="strip" viewBox="0 0 {width} 24" preserveAspectRatio="none" role="img" aria-label="on {active} of {length} days"><path class="axis" d="M0 23.5H{width}"/><path class="bars" d=""#,
        width = length * 4
    );
    for (nth, number) in days.iter().enumerate().filter(|(_, number)| *number > 0) {
        let height = (number as f64 / most * 23.0).max(3.0);
        let _ = write!(out, "M{} 24v-{height:.1}", nth * 4 + 2);
    }
    out + r#""/></svg>"#
}
