use super::{proof_files::*, *};
use proptest::prelude::*;

fn look(media: ProofMedia, bytes: &[u8], pieces: usize) -> Looked {
    let mut inspector = Inspector::of(media);
    for piece in bytes.chunks(pieces) {
        inspector.feed(piece)?;
    }
    inspector.finish()
}

/// The same however the bytes arrive.
#[track_caller]
fn looked(media: ProofMedia, bytes: &[u8]) -> Looked {
    let whole = look(media, bytes, bytes.len().max(1));
    for pieces in [1, 2, 7, 64, 1000] {
        assert_eq!(look(media, bytes, pieces), whole, "in pieces of {pieces}");
    }
    whole
}

fn active(name: &str) -> Looked {
    Err(ContentFault::Active(name.into()))
}

#[test]
fn sound_files_are_taken() {
    let text = packed(b"1 0 0 1 72 720 cm BT /F1 12 Tf (HTML/JavaScript /JS course) Tj ET");
    let plain = pdf_of(
        &[
            stream("/Filter/FlateDecode", &text),
            stream("/Type/XObject/Subtype/Image/Filter/DCTDecode", &jpeg(8, 8)),
            stream("/Type/XRef/Filter/FlateDecode/DecodeParms<</Columns 4/Predictor 12>>", &packed(&[1; 90])),
            object_stream(&[
                "<</Type/Font/BaseFont/Helvetica>>",
                "<</Title(Kickoff/Launch of HTML/JavaScript)>>",
            ]),
            b"<</Title(CSS/JS, AAA/AA and Product/Launch)/S/GoTo/First 2 0 R/URI(https://vendor.example)>>"
                .to_vec(),
            stream("", b"\x00\x80endstrea \xffobj/J"),
        ],
        "",
    );
    assert_eq!(looked(ProofMedia::Pdf, &plain), Ok(()));
    assert_eq!(looked(ProofMedia::Pdf, &[&pdf(&[])[..], b"\r\n\0\0"].concat()), Ok(()));
    assert_eq!(
        looked(ProofMedia::Pdf, &String::from_utf8_lossy(&pdf(&[])).replace('\n', "\r").into_bytes()),
        Ok(())
    );
    for (width, height) in [(1, 1), (640, 480), (3, 1000)] {
        assert_eq!(looked(ProofMedia::Png, &png(width, height)), Ok(()));
    }
    assert_eq!(looked(ProofMedia::Jpeg, &jpeg(640, 480)), Ok(()));
    let with_preview = [&jpeg(640, 480)[..], &jpeg(16, 16)].concat();
    assert_eq!(looked(ProofMedia::Jpeg, &with_preview), Ok(()));
}

#[test]
fn a_file_that_is_not_what_it_says_is_refused() {
    let (pdf, png, jpeg) = (pdf(&[]), png(2, 2), jpeg(2, 2));
    for (declared, bytes, found) in [
        (ProofMedia::Pdf, &png, Some(ProofMedia::Png)),
        (ProofMedia::Png, &jpeg, Some(ProofMedia::Jpeg)),
        (ProofMedia::Jpeg, &pdf, Some(ProofMedia::Pdf)),
        (ProofMedia::Pdf, &b"<html><script>alert(1)</script></html>".to_vec(), None),
        (ProofMedia::Pdf, &[b"\n", &pdf[..]].concat(), None),
        (ProofMedia::Pdf, &[b"GIF89a", &pdf[..]].concat(), None),
        (ProofMedia::Png, &b"PK\x03\x04".to_vec(), None),
        (ProofMedia::Png, &Vec::new(), None),
    ] {
        assert_eq!(looked(declared, bytes), Err(ContentFault::OtherMedia(found)), "{declared}");
    }
}

#[test]
fn a_file_that_is_cut_or_goes_on_behind_its_end_is_refused() {
    let (pdf, png, jpeg) = (pdf(&[]), png(20, 20), jpeg(20, 20));
    for (media, bytes) in [(ProofMedia::Pdf, &pdf), (ProofMedia::Png, &png), (ProofMedia::Jpeg, &jpeg)] {
        for left in (8..bytes.len()).filter(|left| *left < bytes.len() - 2) {
            assert_eq!(look(media, &bytes[..left], 64), Err(ContentFault::Damaged), "{media}: {left} bytes");
        }
    }
    assert_eq!(looked(ProofMedia::Png, &[&png[..], b"PK\x03\x04"].concat()), Err(ContentFault::Damaged));
    assert_eq!(looked(ProofMedia::Pdf, &[&pdf[..], &[0; 1100]].concat()), Err(ContentFault::Damaged));
    let mut changed = png.clone();
    changed[30] ^= 1;
    assert_eq!(looked(ProofMedia::Png, &changed), Err(ContentFault::Damaged));
    assert_eq!(looked(ProofMedia::Pdf, &[b"%PDF-x.7\n", &pdf[9..]].concat()), Err(ContentFault::Damaged));
}

#[test]
fn images_that_would_fill_the_memory_are_refused() {
    let bomb = vec![0; 4 << 20];
    for file in [png_of(50_000, 50_000, &[0; 100]), png_of(u32::MAX, 1, &[]), png_of(16, 16, &bomb)] {
        assert_eq!(looked(ProofMedia::Png, &file), Err(ContentFault::TooManyPixels));
    }
    assert_eq!(looked(ProofMedia::Png, &png_of(0, 1, &[])), Err(ContentFault::Damaged));
    assert_eq!(looked(ProofMedia::Jpeg, &jpeg(u16::MAX, u16::MAX)), Err(ContentFault::TooManyPixels));
    assert_eq!(looked(ProofMedia::Jpeg, &jpeg(0, 1)), Err(ContentFault::Damaged));
    assert_eq!(look(ProofMedia::Png, &png(10_000, 10_000), 50_000), Ok(()), "100 megapixels");
}

#[test]
fn a_pdf_that_acts_is_refused_however_it_is_written() {
    let script = "<</S/JavaScript/JS(app.alert\\(1\\))>>";
    let cases: [(&[u8], &str); 17] = [
        (script.as_bytes(), "JavaScript"),
        (b"<</S /J#61vaScript /JS 5 0 R>>", "JavaScript"),
        (b"<</S/#4a#61#76#61#53#63#72#69#70#74>>", "JavaScript"),
        (b"<</S 7 0 R/JS<feff>>>", "JS"),
        (b"<</S/Rendition>>", "Rendition"),
        (b"<</#4aS%(\n5 0 R>>", "JS"),
        (b"<</S/Launch/F(cmd.exe)>>", "Launch"),
        (b"0/Launch", "Launch"),
        (b"null/Launch", "Launch"),
        (b"<</Type/EmbeddedFile/Length 3>>", "EmbeddedFile"),
        (b"<</Names<</EmbeddedFiles 9 0 R>>>>", "EmbeddedFiles"),
        (b"<</Type/Filespec/EF<</F 9 0 R>>>>", "EF"),
        (b"<</Subtype/RichMedia>>", "RichMedia"),
        (b"<</RichMediaContent 9 0 R>>", "RichMediaContent"),
        (b"<</AA<</O 9 0 R>>>>", "AA"),
        (b"<</AcroForm<</XFA[(a)9 0 R]>>>>", "XFA"),
        (b"<</S/SubmitForm/F(https://x)>>", "SubmitForm"),
    ];
    for (object, name) in cases {
        let told = String::from_utf8_lossy(object);
        assert_eq!(looked(ProofMedia::Pdf, &pdf_of(&[object.to_vec()], "")), active(name), "{told}");
        let packed = pdf_of(&[object_stream(&["<</A 1>>", &told])], "");
        assert_eq!(looked(ProofMedia::Pdf, &packed), active(name), "packed: {told}");
    }
    // Objects that are hidden in what looks like something else.
    let unpacked = stream("/Type/Metadata", script.as_bytes());
    let in_an_image =
        stream("/Subtype/Image/Filter/FlateDecode", &packed(format!("10 0 {script}").as_bytes()));
    let behind_a_comment = stream("/Filter/FlateDecode", &packed(format!("%\n10 0 {script}").as_bytes()));
    let behind_a_string = [b"(never closed \n".to_vec(), object_stream(&[script])].concat();
    let in_another = stream("", &[&b"x\n"[..], &object_stream(&[script])].concat());
    let with_returns = String::from_utf8_lossy(&unpacked).replace("stream\n", "stream\r\n").into_bytes();
    for hidden in [unpacked, in_an_image, behind_a_comment, behind_a_string, in_another, with_returns] {
        let told = String::from_utf8_lossy(&hidden).into_owned();
        assert_eq!(looked(ProofMedia::Pdf, &pdf_of(&[hidden], "")), active("JavaScript"), "{told}");
    }
}

#[test]
fn a_pdf_that_cannot_be_checked_is_refused() {
    for trailer in ["/Encrypt 9 0 R", "/Encrypt<</Filter/Standard/V 5>>", "/#45ncrypt 9 0 R"] {
        assert_eq!(looked(ProofMedia::Pdf, &pdf_of(&[], trailer)), Err(ContentFault::Encrypted), "{trailer}");
    }
    for filter in
        ["/ASCIIHexDecode", "[/A85/FlateDecode]", "/LZWDecode", "/FlateDecode/DecodeParms<</Predictor 12>>"]
    {
        let odd = stream(&format!("/Type/Obj#53tm/N 1/First 5/Filter{filter}"), b"31302030");
        assert_eq!(looked(ProofMedia::Pdf, &pdf_of(&[odd], "")), Err(ContentFault::Uncheckable), "{filter}");
    }
    let numbers = [&b"1 0 "[..], &vec![b' '; 64 << 20]].concat();
    let bomb = stream("/Type/ObjStm/Filter/FlateDecode", &packed(&numbers));
    assert!(bomb.len() < 1 << 20);
    assert_eq!(look(ProofMedia::Pdf, &pdf_of(&[bomb], ""), 10_000), Err(ContentFault::Uncheckable));
    // Streams that are all open at once.
    let open = [&b"stream\n\x78\x01\x00\xff\xff\x00\x001 0 "[..], &[b' '; 64]].concat();
    let many = open.repeat(20);
    assert_eq!(look(ProofMedia::Pdf, &pdf_of(&[many], ""), 64), Err(ContentFault::Uncheckable));
}

proptest! {
    #[test]
    fn no_bytes_make_the_inspector_fail(
        media in prop::sample::select(ProofMedia::ALL),
        behind in prop::collection::vec(any::<u8>(), 0..2000),
        cut in 0..300_usize,
        pieces in 1..500_usize,
    ) {
        let file = match media {
            ProofMedia::Pdf => pdf(&[]),
            ProofMedia::Png => png(9, 9),
            ProofMedia::Jpeg => jpeg(9, 9),
        };
        let file = [&file[..cut.min(file.len())], &behind].concat();
        prop_assert_eq!(look(media, &file, pieces), look(media, &file, file.len().max(1)));
    }
}
