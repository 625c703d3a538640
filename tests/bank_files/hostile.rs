//! Files that no bank sends: they are refused early and in little memory.

use super::{
    reports::{NAMESPACE, group, lines, report},
    statements::{entries, statement},
};
use partner_incentives::payouts::bank_files::{StatusReport, Unreadable, Why};
use std::io::{BufReader, Read};

#[track_caller]
fn refused(text: &str, why: Why) {
    assert_eq!(lines(text).unwrap_err().why, why, "{}", text.chars().take(300).collect::<String>());
}

#[test]
fn a_document_type_is_refused_before_it_is_read() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;\">]>";
    refused(
        &report("", &group("<TxInfAndSts><TxSts>&lol1;</TxSts></TxInfAndSts>"))
            .replace("?>\n", &format!("?>{bomb}")),
        Why::DocumentType,
    );
    let outside = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    refused(&report("", "").replace("?>\n", &format!("?>{outside}")), Why::DocumentType);
    refused(
        &format!(
            "<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\">{}",
            report("", "").replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "")
        ),
        Why::DocumentType,
    );
    assert_eq!(
        entries(&statement("").replace("?>\n", &format!("?>{bomb}"))).unwrap_err().why,
        Why::DocumentType
    );
}

#[test]
fn an_entity_of_the_file_s_own_is_refused() {
    refused(&report("", &group("<TxInfAndSts><TxSts>&status;</TxSts></TxInfAndSts>")), Why::Entity);
    // In an attribute it says nothing.
    let text = report("", &group("<TxInfAndSts x=\"&status;\"><TxSts>ACSC</TxSts></TxInfAndSts>"));
    assert_eq!(lines(&text).unwrap().len(), 1);
}

#[test]
fn elements_too_deep_are_refused() {
    for depth in [50, 1000, 100_000] {
        refused(&report("", &"<a>".repeat(depth)), Why::TooDeep);
        refused(&"<a>".repeat(depth).replacen("<a>", "<Document><CstmrPmtStsRpt>", 1), Why::TooDeep);
    }
}

#[test]
fn texts_names_and_attributes_too_long_are_refused() {
    let long = "x".repeat(100_000);
    let many = (0..10_000).map(|number| format!(" a{number}=\"1\"")).collect::<Vec<_>>().concat();
    for inner in [
        format!("<TxInfAndSts><TxSts>{long}</TxSts></TxInfAndSts>"),
        format!("<TxInfAndSts><TxSts>{}</TxSts></TxInfAndSts>", "x<!-- -->".repeat(10_000)),
        format!("<TxInfAndSts><TxSts>{}</TxSts></TxInfAndSts>", "&amp;".repeat(10_000)),
        format!("<TxInfAndSts><TxSts><![CDATA[{long}]]></TxSts></TxInfAndSts>"),
        format!("<TxInfAndSts a=\"{long}\"/>"),
        format!("<TxInfAndSts{many}/>"),
        format!("<{long}/>"),
        format!("<!-- {long} -->"),
        format!("<?{long}?>"),
        format!("<TxInfAndSts{}/>", " ".repeat(100_000)),
    ] {
        refused(&report("", &group(&inner)), Why::TooLong);
    }
}

#[test]
fn a_file_without_an_end_takes_little_memory() {
    /// Gives one piece over and over.
    struct Endless(&'static [u8], usize);
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            for byte in out.iter_mut() {
                *byte = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(out.len())
        }
    }
    let begin = format!("<Document xmlns=\"{NAMESPACE}\"><CstmrPmtStsRpt>");
    for (piece, why) in
        [(&b"<a "[..], Why::TooLong), (b"<a>", Why::TooDeep), (b"x", Why::TooLong), (b"&amp;", Why::TooLong)]
    {
        let file = BufReader::new(begin.as_bytes().chain(Endless(piece, 0)));
        let read: Result<Vec<_>, Unreadable> = StatusReport::read(file).unwrap().collect();
        assert_eq!(read.unwrap_err().why, why);
    }
    // Lines without an end are read as long as somebody takes them.
    let file = BufReader::new(
        (begin + "<OrgnlPmtInfAndSts>")
            .leak()
            .as_bytes()
            .chain(Endless(b"<TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts>", 0)),
    );
    assert_eq!(StatusReport::read(file).unwrap().take(1000).flatten().count(), 1000);
}

#[test]
fn what_is_no_xml_is_told_from_what_is_cut_off() {
    let whole = report("<GrpSts>PART</GrpSts>", &group("<TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts>"));
    for text in ["", " ", "ABC;1;2", "{}", "%PDF-1.7", "<", "<Document", "\u{0}"] {
        assert!(matches!(lines(text).unwrap_err().why, Why::NotXml | Why::CutOff), "{text}");
    }
    for wrong in [
        whole.replace("</TxSts>", "</TxStz>"),
        format!("{whole}<Document/>"),
        format!("{whole}x"),
        format!("x{whole}"),
        whole.replace("ACSC", "&#xFFFFFFFF;"),
        whole.replace("ACSC", "& c"),
    ] {
        refused(&wrong, Why::NotXml);
    }
    let last = whole.find("</Document>").unwrap();
    for end in (whole.find("<CstmrPmtStsRpt>").unwrap()..=last).rev() {
        let text = &whole[..end];
        assert!(
            matches!(lines(text).unwrap_err().why, Why::CutOff | Why::NotXml | Why::OtherMessage),
            "{text}"
        );
    }
    refused(&whole[..last], Why::CutOff);
}

#[test]
fn another_encoding_is_refused() {
    let whole =
        report("", &group("<TxInfAndSts><StsRsnInf><AddtlInf>Müller</AddtlInf></StsRsnInf></TxInfAndSts>"));
    let latin: Vec<u8> = whole.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let read = |bytes: &[u8]| -> Result<Vec<_>, Unreadable> { StatusReport::read(bytes)?.collect() };
    assert_eq!(read(&latin).unwrap_err().why, Why::Encoding);
    assert_eq!(lines(&whole.replace("UTF-8", "ISO-8859-1")).unwrap_err().why, Why::Encoding);
    assert!(lines(&whole.replace("UTF-8", "utf-8")).is_ok());
    let wide: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(&wide).is_err());
}

#[test]
fn every_reason_is_told_in_both_languages_and_where() {
    let all = [
        Why::NotXml,
        Why::CutOff,
        Why::Encoding,
        Why::DocumentType,
        Why::Entity,
        Why::TooDeep,
        Why::TooLong,
        Why::OtherMessage,
        Why::Io(std::io::ErrorKind::Other),
    ];
    for why in all {
        assert!(why.words().en.ends_with('.') && why.words().ja.ends_with('。'), "{why:?}");
    }
    let error = lines(&report("", "<a>&b;</a>")).unwrap_err();
    assert!(error.at > 100 && error.to_string().contains(&error.at.to_string()));
}

/// Any bytes at all: an answer, and never a panic.
#[test]
fn noise_is_answered() {
    use proptest::prelude::*;
    let whole = report("<GrpSts>PART</GrpSts>", &group("<TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts>"));
    let noise = proptest::collection::vec((0..whole.len(), any::<u8>()), 1..6);
    proptest!(ProptestConfig::with_cases(2000), |(noise in noise)| {
        let mut bytes = whole.clone().into_bytes();
        for (at, byte) in noise {
            bytes[at] = byte;
        }
        if let Ok(report) = StatusReport::read(&bytes[..]) {
            prop_assert!(report.take(10).count() <= 10);
        }
    });
}
