//! Text of others, so that a reader sees all of it and it moves nothing.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};
use model::Scan;
use serde_json::Value;

/// The text with each character that moves the cursor, turns the direction of writing or cannot be seen
/// as an escape (`\u{1b}`). Newline and tab stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// [`visible`], but for the colors that [`crate::summary`] writes.
pub fn visible_but_own_colors(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let own: Vec<String> = own_styles().flat_map(|style| [style.to_string(), format!("{style:#}")]).collect();
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        shown.push_str(&visible(&rest[..at]));
        rest = &rest[at..];
        match own.iter().filter(|code| rest.starts_with(code.as_str()) && !code.is_empty()).max_by_key(|c| c.len()) {
            Some(code) => {
                shown.push_str(code);
                rest = &rest[code.len()..];
            }
            None => {
                shown.extend('\x1b'.escape_unicode());
                rest = &rest[1..];
            }
        }
    }
    shown.push_str(&visible(rest));
    Cow::Owned(shown)
}

/// Every style that a summary is painted with.
fn own_styles() -> impl Iterator<Item = Style> {
    let colors = [
        AnsiColor::Green,
        AnsiColor::Red,
        AnsiColor::Yellow,
        AnsiColor::Magenta,
        AnsiColor::Cyan,
        AnsiColor::BrightBlack,
    ];
    let painted = colors.into_iter().flat_map(|c| [c.on_default(), c.on_default().effects(Effects::BOLD)]);
    painted.chain([Style::new().effects(Effects::BOLD), Style::new().effects(Effects::DIMMED)])
}

/// The scan without exchanges and assessments, its texts [`visible`]: what is painted afterwards is our own.
pub(crate) fn visible_scan(scan: &Scan) -> Option<Scan> {
    let bare = Scan { exchanges: Default::default(), assessments: Vec::new(), ..scan.clone() };
    let mut value = serde_json::to_value(bare).ok()?;
    make_visible(&mut value);
    serde_json::from_value(value).ok()
}

fn make_visible(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(shown) = visible(text) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_visible),
        Value::Object(fields) => fields.values_mut().for_each(make_visible),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// JSON text whose strings hold none of these characters but as escapes of JSON.
pub(crate) fn visible_json(json: String) -> String {
    if !json.chars().any(is_hidden) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// True for characters that a terminal obeys instead of showing, and for those that show nothing.
///
/// **Source**: ECMA-48 (C0, C1, DEL); Unicode 16, section 23.2 (layout controls), UAX #9 (bidirectional
/// controls), section 23.9 (tag characters).
pub(crate) fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_cannot_be_seen_is_an_escape() {
        let evil =
            "a\x1b]0;t\x07\x1b[2J\u{9b}31m\u{7f}\r\0\u{202e}\u{2066}\u{200b}\u{200d}\u{2028}\u{feff}\u{e0041}z\n\té漢";
        let shown = visible(evil);
        assert!(!shown.chars().any(is_hidden), "{shown:?}");
        assert!(shown.starts_with("a\\u{1b}]0;t\\u{7}") && shown.ends_with("z\n\té漢"), "{shown}");
        assert!(matches!(visible("plain\n\ttext"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a\u{202e}": "\u{9b}\u{1b}\u{7f}\u{e0041}" });
        let shown = visible_json(value.to_string());
        assert!(!shown.chars().any(is_hidden), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }

    #[test]
    fn own_colors_pass_and_others_do_not() {
        let bold = Style::new().effects(Effects::BOLD);
        let red = AnsiColor::Red.on_default().effects(Effects::BOLD);
        for own in [format!("{bold}x{bold:#}"), format!("{red}x{red:#}")] {
            assert_eq!(visible_but_own_colors(&own), own);
        }
        assert_eq!(visible_but_own_colors("\x1b[8mx\x1b[2J\x1b[0m"), "\\u{1b}[8mx\\u{1b}[2J\x1b[0m");
    }
}
