//! Comma-separated values (RFC 4180) that a spreadsheet opens without running anything.

/// The beginnings of cells that a spreadsheet would run.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Appends one line of cells to `out`. A cell that a spreadsheet would run as a formula becomes text.
pub fn line<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let formula = cell.starts_with(FORMULA) && !is_number(cell);
        if !formula && !cell.contains([',', '"', '\n', '\r']) {
            out.push_str(cell);
            continue;
        }
        out.push('"');
        if formula {
            // A spreadsheet takes a cell that begins with an apostrophe for text.
            out.push('\'');
        }
        for piece in cell.split_inclusive('"') {
            out.push_str(piece);
            if piece.ends_with('"') {
                out.push('"');
            }
        }
        out.push('"');
    }
    out.push_str("\r\n");
}

/// A cell of a line as it was before [`line()`] made it text.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(cell)
}

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    fn of(cells: &[&str]) -> String {
        let mut out = String::new();
        super::line(&mut out, cells.iter().copied());
        out
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(of(&["a", "", "b c", "ü"]), "a,,b c,ü\r\n");
        assert_eq!(of(&["a,b", "say \"hi\"", "two\nlines"]), "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn what_a_spreadsheet_would_run_becomes_text_and_numbers_stay() {
        for formula in ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "-", "-a", "-.5"] {
            assert_eq!(of(&[formula]), format!("\"'{formula}\"\r\n"));
            assert_eq!(super::unguarded(&format!("'{formula}")), formula);
        }
        assert_eq!(of(&["-12.50", "-7", "1+1"]), "-12.50,-7,1+1\r\n");
        assert_eq!(["'a", "-7", ""].map(super::unguarded), ["'a", "-7", ""]);
    }
}
