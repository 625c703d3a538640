//! Files as people send them to prove an activity, and as those send them who mean no good.

use flate2::{Compression, Crc, write::ZlibEncoder};
use std::fmt::Write as _;

/// Bytes as a PDF and a PNG pack them.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// A PDF of one page, with some objects more.
pub fn pdf(objects: &[&str]) -> Vec<u8> {
    let objects: Vec<Vec<u8>> = objects.iter().map(|object| object.as_bytes().to_vec()).collect();
    pdf_of(&objects, "")
}

/// A PDF of one page, with some objects more, of any bytes, and something more in its trailer.
pub fn pdf_of(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let page: [&[u8]; 3] = [
        b"<</Type/Catalog/Pages 2 0 R/OpenAction[3 0 R/Fit]>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
    ];
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut places = Vec::new();
    for (n, object) in page.iter().copied().chain(objects.iter().map(Vec::as_slice)).enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", n + 1).into_bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).into_bytes());
    for place in &places {
        file.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    let end =
        format!("trailer\n<</Size {}/Root 1 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n", places.len() + 1);
    file.extend(end.into_bytes());
    file
}

/// A stream of a PDF: its dictionary without the length, and its bytes as they are.
pub fn stream(about: &str, bytes: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{about}/Length {}>>\nstream\n", bytes.len()).into_bytes();
    object.extend(bytes);
    object.extend(b"\nendstream");
    object
}

/// An object stream with these objects, the first of which is number 10.
pub fn object_stream(objects: &[&str]) -> Vec<u8> {
    let (mut numbers, mut bodies) = (String::new(), String::new());
    for (n, object) in objects.iter().enumerate() {
        write!(numbers, "{} {} ", 10 + n, bodies.len()).unwrap();
        write!(bodies, "{object} ").unwrap();
    }
    let about = format!("/Type/ObjStm/N {}/First {}/Filter/FlateDecode", objects.len(), numbers.len());
    stream(&about, &packed(format!("{numbers}{bodies}").as_bytes()))
}

/// A PNG of grey pixels, 8 bits each, with these bytes for the pixels.
pub fn png_of(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header.as_slice()), (b"IDAT", &packed(pixels)), (b"IEND", &[])] {
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let mut crc = Crc::new();
        for part in [kind, data] {
            crc.update(part);
            file.extend(part);
        }
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

/// A sound PNG of grey pixels.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    png_of(width, height, &vec![0; (width as usize + 1) * height as usize])
}

/// A JPEG of so many pixels, which nobody has to decode.
pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
    file.extend(b"\xff\xc0\x00\x0b\x08");
    file.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    file.extend(b"\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12\x34\xff\x00\x56\xff\xd9");
    file
}
