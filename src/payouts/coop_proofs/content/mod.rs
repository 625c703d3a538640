//! What a file is, by its bytes: looked at while they arrive, in constant memory. No I/O, no clock, no HTTP.
//!
//! | file | holds |
//! |---|---|
//! | `pdf` | PDF: nothing that acts, nothing encrypted |
//! | `names` | the names of a PDF, as a reader finds them |
//! | `packed` | the compressed objects of a PDF |
//! | `png`, `jpeg` | images, whole and of a size that every machine can show |

mod jpeg;
mod names;
mod packed;
mod pdf;
mod png;
use crate::{
    payouts::coop_claims::ProofMedia,
    platform::values::{Text, text_enum},
    text,
};
use jpeg::Jpeg;
use pdf::Pdf;
use png::Png;

/// The first bytes of a PDF; its version follows.
const PDF: &[u8] = b"%PDF-";
/// The first bytes of a PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The first bytes of a JPEG.
const JPEG: &[u8] = b"\xff\xd8\xff";
/// The bytes that tell one medium from another.
const SIGNATURE: usize = 8;
/// The most pixels of an image: 100 megapixels.
const MOST_PIXELS: u64 = 100_000_000;

fn of_signature(bytes: &[u8]) -> Option<ProofMedia> {
    let signatures = [(PDF, ProofMedia::Pdf), (PNG, ProofMedia::Png), (JPEG, ProofMedia::Jpeg)];
    signatures.into_iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, media)| media)
}

text_enum! {
    /// The kind of a fault.
    pub enum ContentFaultKind {
        /// The bytes are of another medium than was said.
        OtherMedia = "other_media",
        /// The file is not whole, or has something behind its end.
        Damaged = "damaged",
        /// The file would act on the machine of whoever opens it, or holds other files.
        Active = "active",
        /// Nobody can look into the file.
        Encrypted = "encrypted",
        /// A part of the file is packed so that it cannot be looked at.
        Uncheckable = "uncheckable",
        /// The image would fill the memory of whoever opens it.
        TooManyPixels = "too_many_pixels",
    }
}

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentFault {
    /// The bytes are of another medium than was said; none where they are of no medium that is taken.
    OtherMedia(Option<ProofMedia>),
    /// The file is not whole, or has something behind its end.
    Damaged,
    /// The file would act on the machine of whoever opens it, or holds other files; with the name that says so.
    Active(String),
    /// Nobody can look into the file.
    Encrypted,
    /// A part of the file is packed so that it cannot be looked at.
    Uncheckable,
    /// The image would fill the memory of whoever opens it.
    TooManyPixels,
}

impl ContentFault {
    /// The kind of the fault.
    #[must_use]
    pub const fn kind(&self) -> ContentFaultKind {
        match self {
            Self::OtherMedia(_) => ContentFaultKind::OtherMedia,
            Self::Damaged => ContentFaultKind::Damaged,
            Self::Active(_) => ContentFaultKind::Active,
            Self::Encrypted => ContentFaultKind::Encrypted,
            Self::Uncheckable => ContentFaultKind::Uncheckable,
            Self::TooManyPixels => ContentFaultKind::TooManyPixels,
        }
    }

    /// The fault in words, with its remedy.
    #[must_use]
    pub fn words(&self) -> Text {
        match self {
            Self::OtherMedia(Some(media)) => text!(
                "the bytes are {media}: send the file with that Content-Type",
                "ファイルの内容は {media} です。その Content-Type を指定して送信してください。"
            ),
            Self::OtherMedia(None) => text!(
                "the bytes are no PDF, PNG or JPEG: save the file as one of them",
                "ファイルの内容が PDF、PNG、JPEG のいずれでもありません。いずれかの形式で保存し直してください。"
            ),
            Self::Damaged => text!(
                "the file is not whole, or has something behind its end: save it once more",
                "ファイルが完全ではないか、末尾に余分なデータがあります。保存し直してください。"
            ),
            Self::Active(name) => text!(
                "the PDF has scripts, actions, forms or other files in it ({name}): print it into a new PDF",
                "PDF にスクリプト、アクション、フォーム、または別のファイルが含まれています（{name}）。新しい PDF として印刷し直してください。"
            ),
            Self::Encrypted => text!(
                "the PDF is encrypted, so that nobody can check it: save it without a password",
                "PDF が暗号化されているため、確認できません。パスワードなしで保存し直してください。"
            ),
            Self::Uncheckable => text!(
                "a part of the PDF is packed so that it cannot be checked: print it into a new PDF",
                "PDF の一部が確認できない形式で圧縮されています。新しい PDF として印刷し直してください。"
            ),
            Self::TooManyPixels => text!(
                "the image has more pixels than 100 million, or more data than pixels: make it smaller",
                "画像の画素数が 1 億を超えているか、画素数に対してデータが多すぎます。画像を小さくしてください。"
            ),
        }
    }
}

/// The result of looking at a part of a file.
pub type Looked = Result<(), ContentFault>;

/// Looks at a file while its bytes arrive.
pub struct Inspector {
    declared: ProofMedia,
    /// The first bytes, until there are enough to tell a medium.
    first: Vec<u8>,
    inside: Option<Inside>,
}

/// What is known of the file so far.
enum Inside {
    Pdf(Box<Pdf>),
    Png(Box<Png>),
    Jpeg(Jpeg),
}

impl Inspector {
    /// Looks at a file that was declared to be of a medium.
    #[must_use]
    pub fn of(declared: ProofMedia) -> Self {
        Self { declared, first: Vec::new(), inside: None }
    }

    /// Looks at the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Looked {
        if let Some(inside) = &mut self.inside {
            return inside.feed(bytes);
        }
        self.first.extend_from_slice(bytes);
        if self.first.len() < SIGNATURE {
            return Ok(());
        }
        let first = std::mem::take(&mut self.first);
        self.inside.insert(begun(self.declared, &first)?).feed(&first)
    }

    /// Looks at the whole file, now that its end has come.
    pub fn finish(&mut self) -> Looked {
        match &mut self.inside {
            None => {
                // Shorter than any file of these media, also where it begins like one.
                let found = of_signature(&self.first);
                Err(if found == Some(self.declared) {
                    ContentFault::Damaged
                } else {
                    ContentFault::OtherMedia(found)
                })
            }
            Some(Inside::Pdf(pdf)) => pdf.finish(),
            Some(Inside::Png(png)) => png.finish(),
            Some(Inside::Jpeg(jpeg)) => jpeg.finish(),
        }
    }
}

impl Inside {
    fn feed(&mut self, bytes: &[u8]) -> Looked {
        match self {
            Self::Pdf(pdf) => pdf.feed(bytes),
            Self::Png(png) => png.feed(bytes),
            Self::Jpeg(jpeg) => jpeg.feed(bytes),
        }
    }
}

fn begun(declared: ProofMedia, first: &[u8]) -> Result<Inside, ContentFault> {
    let found = of_signature(first);
    if found != Some(declared) {
        return Err(ContentFault::OtherMedia(found));
    }
    Ok(match declared {
        ProofMedia::Pdf => Inside::Pdf(Box::default()),
        ProofMedia::Png => Inside::Png(Box::default()),
        ProofMedia::Jpeg => Inside::Jpeg(Jpeg::default()),
    })
}

#[cfg(test)]
#[path = "../../../../tests/support/proof_files.rs"]
mod proof_files;

#[cfg(test)]
mod tests;
