//! The files that prove the demo's claims: a small PDF for each paper, and a photo.

use std::fmt::Write as _;

/// The photo of a stand at a trade show.
pub(super) const PHOTO: &[u8] = include_bytes!("booth.png");

/// A PDF of one page with some lines of text.
pub(super) fn page(lines: &[String]) -> Vec<u8> {
    let mut text = String::from("BT /F1 12 Tf 60 780 Td 18 TL\n");
    for line in lines {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "({}) Tj T*", escaped(line));
    }
    text.push_str("ET\n");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>"
            .to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        format!("<</Length {}>>\nstream\n{text}endstream", text.len()),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{number} 0 obj\n{object}\nendobj\n");
    }
    let begins = file.len();
    let _ = write!(
        file,
        "{table}trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{begins}\n%%EOF\n",
        objects.len() + 1
    );
    file.into_bytes()
}

/// A text as strings of a PDF have it: ASCII, with a backslash before what would end the string.
fn escaped(line: &str) -> String {
    let mut escaped = String::new();
    for sign in line.chars() {
        match sign {
            '(' | ')' | '\\' => escaped.extend(['\\', sign]),
            ' '..='~' => escaped.push(sign),
            _ => escaped.push('?'),
        }
    }
    escaped
}
