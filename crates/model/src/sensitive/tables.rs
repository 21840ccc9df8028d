//! Values of tables whose head names them: CSV, Markdown and HTML tables, lists of columns with lists of rows,
//! `INSERT INTO`.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2_iter};

/// Longest name of a column.
///
/// **Source**: chosen; as names of members.
const LONGEST_LABEL: usize = 64;

/// Cells of a row at most.
///
/// **Source**: chosen; exports have fewer columns.
const MOST_CELLS: usize = 256;

/// Where cells are written, without quotes and spaces around them.
type Row = Vec<Range<usize>>;

/// A cell, and the label of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell<'t> {
    pub(super) label: &'t [u8],
    pub(super) at: Range<usize>,
    /// True for a number or word of JSON without quotes.
    pub(super) is_bare_json: bool,
}

/// The cells of columns whose label is wanted.
pub(super) fn cells<'t>(text: &'t [u8], wanted: &mut dyn FnMut(&'t [u8]) -> bool) -> Vec<Cell<'t>> {
    let mut table = Table { text, wanted, columns: Vec::new(), width: 0, found: Vec::new() };
    table.lines();
    table.brackets(b'[', b']');
    table.brackets(b'(', b')');
    table.markup();
    table.found
}

struct Table<'t, 'w> {
    text: &'t [u8],
    wanted: &'w mut dyn FnMut(&'t [u8]) -> bool,
    /// The wanted columns of the table that is being read: position and label.
    columns: Vec<(usize, &'t [u8])>,
    width: usize,
    found: Vec<Cell<'t>>,
}

impl<'t> Table<'t, '_> {
    /// Takes a row as the head of a table, if it is one with a wanted column.
    fn begins(&mut self, row: &Row) -> bool {
        self.columns.clear();
        let labels: Vec<&'t [u8]> = row.iter().map(|cell| &self.text[cell.clone()]).collect();
        if labels.len() < 2 || !labels.iter().all(|label| is_label(label)) {
            return false;
        }
        self.width = labels.len();
        let wanted = labels.into_iter().enumerate().filter(|(_, label)| (self.wanted)(label));
        self.columns = wanted.collect();
        !self.columns.is_empty()
    }

    /// Keeps the wanted cells of a row; false if it is none of the table.
    fn takes(&mut self, row: &Row, in_json: bool) -> bool {
        if row.len() != self.width {
            return false;
        }
        for (column, label) in &self.columns {
            let at = row[*column].clone();
            let is_quoted = at.start.checked_sub(1).is_some_and(|before| self.text[before] == b'"');
            self.found.push(Cell { label, at, is_bare_json: in_json && !is_quoted });
        }
        true
    }

    /// CSV, tab-separated values and Markdown.
    fn lines(&mut self) {
        let mut separator = None;
        let mut start = 0;
        while start < self.text.len() {
            let end = memchr(b'\n', &self.text[start..]).map_or(self.text.len(), |length| start + length);
            let line = start..end;
            start = end + 1;
            if let Some(separator) = separator {
                let row = self.split(&line, separator);
                let is_rule = self.text[line.clone()].iter().all(|byte| b"|-: \r\t+".contains(byte));
                if is_rule || self.takes(&row, false) {
                    continue;
                }
            }
            separator = [b',', b';', b'\t', b'|'].into_iter().find(|separator| {
                memchr(*separator, &self.text[line.clone()]).is_some() && {
                    let row = self.split(&line, *separator);
                    self.begins(&row)
                }
            });
        }
    }

    /// The cells of a line.
    fn split(&self, line: &Range<usize>, separator: u8) -> Row {
        let mut line = line.clone();
        if separator == b'|' {
            line = trimmed(self.text, line);
            line.start += usize::from(self.text[line.clone()].first() == Some(&b'|'));
            line.end -= usize::from(!line.is_empty() && self.text[line.end - 1] == b'|');
        }
        let (mut row, mut from, mut in_quotes) = (Row::new(), line.start, false);
        for at in line.clone() {
            match self.text[at] {
                b'"' => in_quotes = !in_quotes,
                byte if byte == separator && !in_quotes && row.len() < MOST_CELLS => {
                    row.push(unquoted(self.text, from..at));
                    from = at + 1;
                }
                _ => {}
            }
        }
        row.push(unquoted(self.text, from..line.end));
        row
    }

    /// `["id","password"]` and then lists of as many values; `(id, password) VALUES (1, 'x'), (2, 'y')`.
    fn brackets(&mut self, open: u8, close: u8) {
        let mut in_table = false;
        let ends = if open == b'[' { b'{' } else { b';' };
        for at in memchr2_iter(open, ends, self.text) {
            if self.text[at] == ends {
                in_table = false;
                continue;
            }
            let Some((row, behind)) = self.list(at + 1, close) else { continue };
            if in_table && self.takes(&row, open == b'[') {
                continue;
            }
            let next = self.text[behind..].trim_ascii_start();
            let is_head = open == b'[' || next.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"values"));
            in_table = is_head && self.begins(&row);
        }
    }

    /// The values of a list that holds no other, and where it ends.
    fn list(&self, from: usize, close: u8) -> Option<(Row, usize)> {
        let (mut row, mut start, mut at) = (Row::new(), from, from);
        while row.len() < MOST_CELLS {
            match *self.text.get(at)? {
                quote @ (b'"' | b'\'' | b'`') => at += 2 + super::pairs::closing(&self.text[at + 1..], quote),
                b',' => {
                    row.push(unquoted(self.text, start..at));
                    at += 1;
                    start = at;
                }
                byte if byte == close => {
                    row.push(unquoted(self.text, start..at));
                    return Some((row, at + 1));
                }
                b'[' | b'{' | b'(' | b';' | b'<' => return None,
                _ => at += 1,
            }
        }
        None
    }

    /// Tables and lists of definitions in HTML: by the row that heads a table, and by the cell before.
    fn markup(&mut self) {
        let (mut row, mut heads, mut in_table) = (Row::new(), 0, false);
        for open in memchr_iter(b'<', self.text) {
            let rest = &self.text[open + 1..];
            let length = rest.iter().take(8).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'/').count();
            let tag = rest[..length].to_ascii_lowercase();
            match tag.as_slice() {
                b"td" | b"th" | b"dd" => {
                    heads += usize::from(tag == b"th");
                    let Some(start) = memchr(b'>', rest).map(|length| open + 2 + length) else { return };
                    let end = memchr(b'<', &self.text[start..]).map_or(self.text.len(), |length| start + length);
                    row.push(trimmed(self.text, start..end));
                }
                b"tr" | b"/tr" | b"/table" | b"dt" | b"/dl" => {
                    let (ended, heads) = (std::mem::take(&mut row), std::mem::take(&mut heads));
                    if ended.is_empty() || (in_table && self.takes(&ended, false)) {
                        // A row of a table that has its head.
                    } else if heads == ended.len() || !self.pair(&ended) {
                        in_table = self.begins(&ended);
                    }
                    in_table &= tag != b"/table";
                    if tag == b"dt" {
                        let Some(start) = memchr(b'>', rest).map(|length| open + 2 + length) else { return };
                        let end = memchr(b'<', &self.text[start..]).map_or(self.text.len(), |length| start + length);
                        row.push(trimmed(self.text, start..end));
                    }
                }
                _ => {}
            }
        }
    }

    /// A row of a label and its value; false if it is none, or not of a wanted one.
    fn pair(&mut self, row: &Row) -> bool {
        let [label, value] = row.as_slice() else { return false };
        let label = self.text[label.clone()].trim_ascii_end();
        let label = label.strip_suffix(b":").unwrap_or(label);
        let is_wanted = is_label(label) && (self.wanted)(label);
        if is_wanted {
            self.found.push(Cell { label, at: value.clone(), is_bare_json: false });
        }
        is_wanted
    }
}

/// True for what may name a column: a word or a few.
fn is_label(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(byte) || *byte >= 0x80;
    text.len() <= LONGEST_LABEL
        && text.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_' || *first >= 0x80)
        && text.iter().all(is_part)
}

fn trimmed(text: &[u8], at: Range<usize>) -> Range<usize> {
    let part = &text[at.clone()];
    let start = at.start + (part.len() - part.trim_ascii_start().len());
    start..start + part.trim_ascii().len()
}

/// A cell without spaces and one pair of quotes around it.
fn unquoted(text: &[u8], at: Range<usize>) -> Range<usize> {
    let at = trimmed(text, at);
    match &text[at.clone()] {
        [first @ (b'"' | b'\'' | b'`'), .., last] if first == last => at.start + 1..at.end - 1,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        cells(text.as_bytes(), &mut |label| label.eq_ignore_ascii_case(b"password"))
            .into_iter()
            .map(|cell| &text[cell.at])
            .collect()
    }

    #[test]
    fn cells_stand_below_the_label_of_their_column() {
        for text in [
            "id,email,password\n1,a@b.c,p1\n2,\"x, y\",p2\n",
            "id;\"password\"\r\n1;p1\r\n2;\"p2\"\r\n",
            "id\tpassword\n1\tp1\n2\tp2",
            "# Users\n\n| user | password |\n|:-----|---|\n| bob | p1 |\n| eve | p2 |\n\nmore, text",
            r#"{"columns":["id","password"],"rows":[[1,"p1"],[2,"p2"]]}"#,
            r#"[["password","id"],["p1",1],["p2",2]]"#,
            "INSERT INTO users (id, `password`, name) VALUES (1, 'p1', 'x'), (2,'p2','y');",
            "<table><thead><tr><th>User</th><th>Password</th></tr></thead><tr><td>bob</td><td>p1</td></tr><tr><td>eve<td>p2</table>",
            "<dl><dt>Password</dt><dd>p1</dd><dt>User</dt><dd>b</dd><dt>Password:</dt><dd>p2</dd></dl>",
            "<table><tr><th>Password</th><td>p1</td></tr><tr><td>Password:</td><td>p2</td></tr></table>",
        ] {
            assert_eq!(found(text), ["p1", "p2"], "{text}");
        }
    }

    #[test]
    fn what_is_no_table_has_no_cells() {
        for text in [
            "Enter user, password\nand press a key\n",
            r#"{"required":["id","password"],"properties":{"a":["x","y"]}}"#,
            "f(id, password) and g(1, 2)",
            "password\nabc\n",
            "<tr><th>User</th><th>Password</th></tr></table><table><tr><td>a</td><td>b</td></tr></table>",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
