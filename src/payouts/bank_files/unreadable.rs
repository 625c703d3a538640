//! Why a file of a bank cannot be read.

use crate::platform::values::Words;
use std::{fmt, io};

/// A file that cannot be read, or not on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The reason.
    pub why: Why,
    /// The byte at which reading ended.
    pub at: u64,
}

/// A reason why a file of a bank cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The text is not well-formed XML.
    NotXml,
    /// The text ends in the midst of an element.
    CutOff,
    /// The text is not UTF-8, or says so of itself.
    Encoding,
    /// The text declares a document type, which no bank does.
    DocumentType,
    /// The text uses an entity of its own.
    Entity,
    /// Elements stand too deep in each other.
    TooDeep,
    /// An element, text or list of attributes is too long.
    TooLong,
    /// The text is XML and another message, or none at all.
    OtherMessage,
    /// The file could not be read.
    Io(io::ErrorKind),
}

impl Why {
    /// The reason, and what mends it.
    #[must_use]
    pub const fn words(self) -> Words<'static> {
        match self {
            Self::NotXml => Words::new(
                "The file is not well-formed XML: send it as the bank gave it.",
                "正しいXMLではありません。銀行から受け取ったままのファイルを送信してください。",
            ),
            Self::CutOff => Words::new(
                "The file ends too early: load it from the bank again.",
                "ファイルが途中で切れています。銀行から再度取得してください。",
            ),
            Self::Encoding => Words::new(
                "The file is not UTF-8: ask the bank for UTF-8.",
                "文字コードがUTF-8ではありません。UTF-8での提供を銀行に依頼してください。",
            ),
            Self::DocumentType | Self::Entity => Words::new(
                "The file declares a document type or entities, which messages of banks do not have.",
                "銀行のメッセージにはない文書型宣言または実体が含まれています。",
            ),
            Self::TooDeep | Self::TooLong => Words::new(
                "The file has elements too deep or too long for a message of a bank.",
                "銀行のメッセージとしては要素が深すぎるか長すぎます。",
            ),
            Self::OtherMessage => Words::new(
                "The file is another message: status reports are pain.002, statements camt.053 or camt.054.",
                "別の種類のメッセージです。ステータスレポートはpain.002、明細はcamt.053またはcamt.054です。",
            ),
            Self::Io(_) => Words::new(
                "The file could not be read: send it again.",
                "ファイルを読み取れませんでした。再度送信してください。",
            ),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.why.words().en, self.at)
    }
}

impl std::error::Error for Unreadable {}
