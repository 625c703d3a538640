//! The names of files, made safe for every machine that a file is saved on; no I/O, no clock, no HTTP.

use crate::{payouts::coop_claims::ProofMedia, platform::values::composed};

/// The most bytes of a name: no file system takes more.
pub const LONGEST: usize = 255;
/// The name of a file whose own name has nothing in it.
const NAMELESS: &str = "proof";
/// The names that Windows keeps for devices.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// The endings of the media that are taken, in lower case.
const ENDINGS: [&str; 4] = [".pdf", ".png", ".jpg", ".jpeg"];

/// The safe name of a file: its last part, without what directs or hides, with the ending of its content.
#[must_use]
pub fn safe_name(told: &str, media: ProofMedia) -> String {
    let ending = media.ending();
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !is_hidden(*c)).map(harmless).collect();
    // One byte is left for a mark.
    let plain = composed(plain);
    let stem = without_ending(bare(cut_bytes(without_ending(bare(&plain)), LONGEST - ending.len() - 2)));
    let stem = if stem.is_empty() { NAMELESS } else { stem };
    let mark = if is_device(stem) { "_" } else { "" };
    format!("{mark}{stem}.{ending}")
}

/// Control characters, and those that nobody sees or that turn the direction of a text. What joins emoji stays.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// What a shell, a path or a header field would read as something else.
fn harmless(c: char) -> char {
    if "<>:\"|?*".contains(c) { '_' } else { c }
}

/// A name without the spaces and dots around it, which hide a file or are lost on Windows.
fn bare(name: &str) -> &str {
    name.trim_matches(|c: char| c == '.' || c.is_whitespace())
}

/// A name without the ending of a medium that is taken, also where there are several.
fn without_ending(name: &str) -> &str {
    let mut name = name;
    while let Some(stem) = ENDINGS.iter().find_map(|ending| {
        let at = name.len().checked_sub(ending.len())?;
        let (stem, end) = name.split_at_checked(at)?;
        end.eq_ignore_ascii_case(ending).then_some(stem)
    }) {
        name = bare(stem);
    }
    // A name that is nothing but an ending has none.
    if ENDINGS.iter().any(|ending| ending.trim_start_matches('.').eq_ignore_ascii_case(name)) {
        ""
    } else {
        name
    }
}

/// Whether Windows takes a name for a device: by what stands before the first dot.
fn is_device(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default().trim_end();
    let port = first.strip_suffix(|c: char| c.is_ascii_digit() || "¹²³".contains(c));
    let is = |name: &str| DEVICES.iter().any(|device| device.eq_ignore_ascii_case(name));
    is(first) || port.is_some_and(|port| ["COM", "LPT"].iter().any(|of| of.eq_ignore_ascii_case(port)))
}

/// The beginning of a text in so many bytes, cut between two characters.
fn cut_bytes(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_made_safe() {
        let emoji = "😀".repeat(63);
        for (told, safe) in [
            ("invoice.pdf", "invoice.pdf"),
            ("../../x.pdf", "x.pdf"),
            ("..\\..\\windows\\x.PDF", "x.pdf"),
            ("/etc/passwd", "passwd.pdf"),
            ("a/b/", "proof.pdf"),
            ("", "proof.pdf"),
            (" . ", "proof.pdf"),
            (".pdf", "proof.pdf"),
            (".htaccess", "htaccess.pdf"),
            ("photo.jpeg", "photo.pdf"),
            ("setup.exe", "setup.exe.pdf"),
            ("twice.pdf.pdf", "twice.pdf"),
            ("CON", "_CON.pdf"),
            ("con.txt", "_con.txt.pdf"),
            ("LPT1.pdf", "_LPT1.pdf"),
            ("com¹", "_com¹.pdf"),
            ("COMMON.pdf", "COMMON.pdf"),
            ("\u{202e}fdp.exe", "fdp.exe.pdf"),
            ("a\r\nSet-Cookie: b.pdf", "aSet-Cookie_ b.pdf"),
            ("say \"hi\"?.pdf", "say _hi__.pdf"),
            ("a\0b.pdf", "ab.pdf"),
            ("請求書 7月.pdf", "請求書 7月.pdf"),
            ("e\u{301}.pdf", "é.pdf"),
            (&format!("{emoji}.pdf"), &format!("{}.pdf", "😀".repeat(62))),
        ] {
            assert_eq!(safe_name(told, ProofMedia::Pdf), safe, "{told:?}");
        }
        assert_eq!(safe_name("photo.JPEG", ProofMedia::Jpeg), "photo.jpg");
        assert_eq!(safe_name("report.pdf", ProofMedia::Png), "report.png");
    }

    proptest! {
        #[test]
        fn whatever_is_told_the_name_is_safe(
            told in "(\\PC|\\p{C}|[/\\\\.:]|CON|nul|\\.pdf){0,120}",
            media in prop::sample::select(ProofMedia::ALL),
        ) {
            let safe = safe_name(&told, media);
            prop_assert!(safe.len() <= LONGEST);
            prop_assert!(safe.strip_suffix(media.ending()).is_some_and(|stem| stem.len() > 1 && stem.ends_with('.')));
            prop_assert!(!safe.contains(['/', '\\', ':', '"', '<', '>', '|', '?', '*']));
            prop_assert!(!safe.chars().any(is_hidden));
            prop_assert!(!safe.starts_with(['.', ' ']) && !is_device(&safe));
            prop_assert_eq!(safe_name(&safe, media), safe, "a safe name is its own");
        }
    }
}
