//! The one error type, in the words the caller reads.

use super::values::{Locale, Text, Words};
use crate::text;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

/// A stable, documented kind of problem. Its page is served at `/problems/{code}`.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable identifier that clients branch on, in `snake_case`; unique in the whole service.
    pub code: &'static str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// One line, the same for every occurrence.
    pub title: Words<'static>,
    /// The text of the problem's page: the meaning, and how the caller mends the request.
    pub help: Words<'static>,
}

/// Declares a slice's problem codes: one static for each code, and `CODES` with all of them for the catalogue. Title and
/// help are written in English, then in Japanese: a code that lacks a language does not compile.
#[macro_export]
macro_rules! problem_codes {
    ($($name:ident = $code:literal $status:literal [$title:literal, $title_ja:literal], [$help:literal, $help_ja:literal];)+) => {
        $(
            #[doc = $title]
            pub static $name: $crate::platform::Code = $crate::platform::Code {
                code: $code,
                status: $status,
                title: $crate::platform::values::Words::new($title, $title_ja),
                help: $crate::platform::values::Words::new($help, $help_ja),
            };
        )+

        /// Every problem code declared here.
        pub static CODES: &[&$crate::platform::Code] = &[$(&$name),+];
    };
}

/// The problem codes of the conventions; a slice declares the codes of its rules beside the rules.
pub mod codes {
    problem_codes! {
        MALFORMED = "malformed" 400 ["The request cannot be read", "リクエストを読み取れません"],
            ["The body is not JSON in UTF-8, or a path, query or header value has the wrong form. `detail` says where.", "本文が UTF-8 の JSON でないか、パス、クエリ、ヘッダーの値の形式が正しくありません。該当箇所は `detail` に示されます。"];
        UNKNOWN_PARAMETER = "unknown_parameter" 400 ["Unknown or malformed query parameter", "クエリパラメーターが不明であるか、形式が正しくありません"],
            ["The operation has no query parameter of that name, or its value has the wrong form. The contract lists the parameters of every operation.", "この操作にそのような名前のクエリパラメーターは存在しないか、値の形式が正しくありません。各操作のパラメーターは API 仕様に記載されています。"];
        INVALID_REQUEST = "invalid_request" 400 ["The form is not right", "フォームの内容が正しくありません"],
            ["A parameter is missing, given twice, or not of the form the contract asks for. `errors` lists those that are wrong.", "パラメーターが不足している、重複している、または API 仕様で定められた形式ではありません。該当するものは `errors` に示されます。"];
        INVALID_CURSOR = "invalid_cursor" 400 ["The cursor is not one of ours", "カーソルが無効です"],
            ["Pass `next_cursor` of the previous page unchanged, with the same filters and the same `sort`, or leave `cursor` out to start again.", "前のページの `next_cursor` を変更せずに、同じ絞り込み条件と同じ `sort` とともに指定してください。最初から取得する場合は `cursor` を省略してください。"];
        UNAUTHENTICATED = "unauthenticated" 401 ["Sign in first", "サインインが必要です"],
            ["The request carries no access token, or one that is expired, revoked or not ours. Sign in at `POST /v1/auth/login` and send `Authorization: Bearer <access_token>`.", "リクエストにアクセストークンがないか、トークンが期限切れ、失効済み、または本サービスのものではありません。`POST /v1/auth/login` でサインインし、`Authorization: Bearer <access_token>` を送信してください。"];
        FORBIDDEN = "forbidden" 403 ["Your role may not do this", "この操作を行う権限がありません"],
            ["Each operation lists the roles that may call it. Ask a programme operator, or your organisation's incentive admin.", "各操作には、実行できるロールが定められています。プログラム運営担当者または貴社のインセンティブ管理者にお問い合わせください。"];
        NOT_FOUND = "not_found" 404 ["There is nothing here", "該当するものが見つかりません"],
            ["The address is wrong, the record does not exist, or it lies outside what you may see.", "アドレスが誤っているか、データが存在しないか、または閲覧できる範囲にありません。"];
        METHOD_NOT_ALLOWED = "method_not_allowed" 405 ["This address does not take that method", "このアドレスではそのメソッドを使用できません"],
            ["The `Allow` header lists the methods it takes.", "使用できるメソッドは `Allow` ヘッダーに示されます。"];
        NOT_ACCEPTABLE = "not_acceptable" 406 ["No representation you accept", "指定された形式では応答できません"],
            ["The service answers `application/json`, and problems as `application/problem+json`.", "本サービスは `application/json` で応答し、エラーは `application/problem+json` で応答します。"];
        REQUEST_TIMEOUT = "request_timeout" 408 ["The request took too long to arrive", "リクエストの受信に時間がかかりすぎました"],
            ["Send the whole request within the deadline; large uploads have operations of their own.", "制限時間内にリクエスト全体を送信してください。サイズの大きいアップロードには専用の操作があります。"];
        CONFLICT = "conflict" 409 ["Another record stands in the way", "他のデータと競合しています"],
            ["A record with the same unique value exists already, or something still refers to this one.", "一意であるべき値が同じデータがすでに存在するか、このデータを参照しているものがあります。"];
        PRECONDITION_FAILED = "precondition_failed" 412 ["The record has changed since you read it", "読み取り後にデータが変更されています"],
            ["Read it again, apply your change to what you see, and send it with the new `ETag` in `If-Match`.", "データを読み直し、変更内容を反映したうえで、新しい `ETag` を `If-Match` に指定して送信してください。"];
        TOO_LARGE = "too_large" 413 ["The body is too large", "本文が大きすぎます"],
            ["A JSON body may have 1 MiB.", "JSON の本文は 1 MiB までです。"];
        URI_TOO_LONG = "uri_too_long" 414 ["The address is too long", "アドレスが長すぎます"],
            ["Path and query together may have 8 KiB.", "パスとクエリは合計 8 KiB までです。"];
        UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type" 415 ["This media type is not taken", "このメディアタイプは受け付けられません"],
            ["Send `Content-Type: application/json` (a change also `application/merge-patch+json`), without content encoding.", "`Content-Type: application/json`（変更の場合は `application/merge-patch+json` も可）を指定し、コンテンツエンコーディングなしで送信してください。"];
        INVALID = "invalid" 422 ["Some fields are not valid", "入力内容に誤りがあります"],
            ["`errors` lists every field with a JSON pointer, a code and how to mend it.", "誤りのあるすべての項目が、JSON ポインター、コード、修正方法とともに `errors` に示されます。"];
        IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused" 422 ["This idempotency key was used for another request", "この冪等キーは別のリクエストで使用されています"],
            ["Make a new key for every new request; repeat a key only with the identical request.", "リクエストごとに新しいキーを生成してください。同じキーを再度使用できるのは、まったく同じリクエストの場合に限ります。"];
        PRECONDITION_REQUIRED = "precondition_required" 428 ["Say which revision you are changing", "変更対象の版を指定してください"],
            ["Send the `ETag` you read in `If-Match`, so that nobody's change is lost.", "他の方の変更が失われないよう、読み取った `ETag` を `If-Match` に指定してください。"];
        TOO_MANY_REQUESTS = "too_many_requests" 429 ["Too many requests", "リクエストが多すぎます"],
            ["Wait as long as `Retry-After` says. `RateLimit` and `RateLimit-Policy` show what is left.", "`Retry-After` に示された時間だけお待ちください。残りの回数は `RateLimit` と `RateLimit-Policy` に示されます。"];
        HEADERS_TOO_LARGE = "headers_too_large" 431 ["The header fields are too large", "ヘッダーが大きすぎます"],
            ["Header fields together may have 32 KiB.", "ヘッダーは合計 32 KiB までです。"];
        INTERNAL = "internal" 500 ["Something went wrong on our side", "本サービスで問題が発生しました"],
            ["Nothing was changed, unless `detail` says otherwise. Try again; if it stays, report the `request_id`.", "`detail` に別の記載がない限り、何も変更されていません。再度お試しいただき、解消しない場合は `request_id` を添えてお問い合わせください。"];
        AMOUNT_OUT_OF_RANGE = "amount_out_of_range" 409 ["A sum leaves the range of amounts", "合計額が扱える範囲を超えています"],
            ["A sum of amounts would be larger than can be stored. Take back the sales that are wrong; then the calculation goes on.", "合計額が保存できる上限を超えます。誤った販売を取り消すと、計算が再開されます。"];
        OUTCOME_UNKNOWN = "outcome_unknown" 503 ["Nobody can say now whether it was done", "処理が完了したかどうかを確認できません"],
            ["The database went away while it made the change durable. Repeat the identical request with the same `Idempotency-Key` after `Retry-After`: where it was done, the stored answer comes back; where not, it is done now. Without a key, look first whether the change is there.", "変更を確定する途中でデータベースとの接続が失われました。`Retry-After` の後に、同じ `Idempotency-Key` でまったく同じリクエストを再送してください。完了していた場合は保存された応答が返り、完了していなかった場合は改めて実行されます。キーを使用していない場合は、まず変更が反映されているかご確認ください。"];
        UNAVAILABLE = "unavailable" 503 ["The service cannot answer just now", "ただいま応答できません"],
            ["The database is busy or out of reach. Nothing was changed; repeat after `Retry-After`, with the same `Idempotency-Key`.", "データベースが混み合っているか、接続できません。何も変更されていません。`Retry-After` の後に、同じ `Idempotency-Key` で再送してください。"];
    }
}

/// One field that is not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, as a JSON pointer into the request body (RFC 6901), or the name of a query parameter.
    pub pointer: String,
    /// Stable kind of the fault.
    pub code: Cow<'static, str>,
    /// What is wrong and how to mend it.
    pub message: Text,
}

impl FieldError {
    /// A fault at a JSON pointer.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Text>,
    ) -> Self {
        // A caller's member name may be of any length, and so may the pointer to the member.
        let pointer: String = pointer.into();
        let message = message.into().map(|message| cut(message, 1000).to_owned());
        Self { pointer: cut(&pointer, 400).into(), code: code.into(), message }
    }

    /// The fault in the words of one language.
    #[must_use]
    pub fn view(&self, language: Locale) -> FieldErrorView<'_> {
        let message = self.message.in_language(language);
        FieldErrorView { pointer: &self.pointer, code: &self.code, message }
    }
}

/// One field that is not right.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError, example = json!({"pointer": "/country", "code": "format", "message": "write an ISO 3166-1 alpha-2 country such as DE"}))]
pub struct FieldErrorView<'a> {
    /// Where, as a JSON pointer into the request body (RFC 6901), or the name of a query parameter.
    #[schema(max_length = 400, examples("/country"))]
    pointer: &'a str,
    /// Stable kind of the fault.
    #[schema(max_length = 60, examples("format"))]
    code: &'a str,
    /// What is wrong and how to mend it, in the language of the answer.
    #[schema(max_length = 1000, examples("write an ISO 3166-1 alpha-2 country such as DE"))]
    message: &'a str,
}

/// The first `most` characters of a text, as many as the contract allows for the field.
#[must_use]
pub fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// Why a request was not done; the error of every fallible function of the service.
#[derive(Debug)]
pub struct Error {
    /// The documented kind of the problem.
    pub code: &'static Code,
    /// The fault of this request, and how the caller mends the request.
    pub detail: Text,
    /// Every field that is not valid; empty but for validation problems.
    pub errors: Vec<FieldError>,
    /// Members of the problem beyond the common ones, such as `checks` or `allowed`.
    pub extra: Box<serde_json::Map<String, serde_json::Value>>,
    /// Seconds after which a repeat makes sense.
    pub retry_after: Option<u32>,
    /// The cause, for the log only; never part of the answer.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A problem of the given code.
    pub fn new(code: &'static Code, detail: impl Into<Text>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            extra: Box::default(),
            retry_after: None,
            source: None,
        }
    }

    /// The record does not exist, or the caller may not know that it does. `en` and `ja` are the record's kind in
    /// each language.
    #[must_use]
    pub fn not_found(en: &str, ja: &str) -> Self {
        let detail = Text::new(
            format!("there is no such {en}, or it lies outside what you may see"),
            format!("該当する{ja}が存在しないか、閲覧できる範囲にありません。"),
        );
        Self::new(&codes::NOT_FOUND, detail)
    }

    /// Fields that are not right.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.message.map(|message| format!("{}: {message}", one.pointer)),
            many => text!(
                "{} fields are not valid; see errors",
                "{} 件の項目に誤りがあります。errors をご確認ください。",
                many.len()
            ),
        };
        Self { errors, ..Self::new(&codes::INVALID, detail) }
    }

    /// One field that is not right.
    pub fn invalid_field(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Text>,
    ) -> Self {
        Self::invalid(vec![FieldError::new(pointer, code, message)])
    }

    /// Turns "not found" into a fault of the member at `pointer`, which named the missing record; any other error stays
    /// as it is.
    #[must_use]
    pub fn as_fault_at(self, pointer: &str, message: impl Into<Text>) -> Self {
        if *self.code == codes::NOT_FOUND { Self::invalid_field(pointer, "unknown", message) } else { self }
    }

    /// A sum of amounts that cannot be stored.
    #[must_use]
    pub fn amount_out_of_range() -> Self {
        let detail = text!(
            "a sum of amounts leaves the range that can be stored",
            "合計額が保存できる範囲を超えています。"
        );
        Self::new(&codes::AMOUNT_OUT_OF_RANGE, detail)
    }

    /// A fault of the service; the source goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(
                &codes::INTERNAL,
                text!(
                    "an unexpected fault; nothing was changed",
                    "予期しない問題が発生しました。何も変更されていません。"
                ),
            )
        }
    }

    /// The service cannot answer just now; the caller may repeat the request after a second.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            retry_after: Some(1),
            ..Self::new(
                &codes::UNAVAILABLE,
                text!(
                    "the database is busy or out of reach; nothing was changed",
                    "データベースが混み合っているか、接続できません。何も変更されていません。"
                ),
            )
        }
    }

    /// The database went away in `COMMIT`, and no connection can tell whether the unit is durable.
    pub fn outcome_unknown(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            retry_after: Some(1),
            ..Self::new(
                &codes::OUTCOME_UNKNOWN,
                text!(
                    "the database went away before it said whether the change is durable; repeat the request with the \
                     same Idempotency-Key",
                    "変更が確定したかどうかを確認する前に、データベースとの接続が失われました。同じ Idempotency-Key でリクエストを再送してください。"
                ),
            )
        }
    }

    /// The fault in English: for the log, the command line, and what is stored for operators.
    #[must_use]
    pub fn sentence(&self) -> &str {
        self.detail.in_language(Locale::En)
    }

    /// Adds a member to the problem document.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Serialize) -> Self {
        self.extra.insert(member.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.code, self.sentence())?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
