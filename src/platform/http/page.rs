//! Lists: keyset pages on a stable order.

use super::{
    Answer, Contract, PublicAddress,
    export::{self, CsvColumn, FileFormat},
    query,
};
use crate::{
    platform::{Error, Result, codes, values::Id},
    text,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// How to walk a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameters; `PageRequest` reads them beside the list's filters")]
pub struct PageParams {
    /// Items per page.
    #[param(minimum = 1, maximum = 200, default = 50, example = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before; leave out for the first page.
    #[param(max_length = 1024)]
    cursor: Option<String>,
    /// Whether to count all items that match, as `total`.
    #[param(default = false, example = false)]
    include_total: Option<bool>,
}

/// A list without filters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// The orders a list can be asked for.
pub trait SortKey: DeserializeOwned + Serialize + Default + PartialEq + Copy {}
impl<T: DeserializeOwned + Serialize + Default + PartialEq + Copy> SortKey for T {}

/// The end of a page: the sort value and the id of its last item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The value of the sorted column; none of a list that is sorted by id alone.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The id of the last item.
    #[serde(rename = "i")]
    pub id: Id,
}

impl Cursor {
    /// Whether a record can have this key: no text on record has a NUL, which PostgreSQL does not take.
    fn can_be_a_key(&self) -> bool {
        self.key.as_ref().is_none_or(|key| !key.contains('\0'))
    }
}

/// A request for one page of a list: the filters, the order and the start.
#[derive(Clone, Debug)]
pub struct PageRequest<F, S = ()> {
    /// The filters of the list.
    pub filter: F,
    /// The order of the list.
    pub sort: S,
    /// The most items of the page.
    pub limit: i64,
    /// The end of the page before; none for the first page.
    pub after: Option<Cursor>,
    /// Whether the page says how many items the whole list has.
    pub include_total: bool,
    /// The format and the columns of the file, where the caller asks for a file.
    file: Option<(FileFormat, Vec<CsvColumn>)>,
    /// Whether this page begins the list.
    is_first: bool,
    address: String,
    others: Vec<(String, String)>,
}

/// A page, ready to be sent.
pub struct Listed {
    /// The answer with the page.
    pub answer: Answer,
    /// The end of the page; none of the last page.
    end: Option<Cursor>,
}

/// The content of a cursor's text; the digest ties the cursor to the filters and the order of its list.
#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    cursor: Cursor,
    #[serde(rename = "q")]
    query: u32,
}

impl<F: DeserializeOwned, S: SortKey> FromRequest for PageRequest<F, S> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<F: DeserializeOwned, S: SortKey> PageRequest<F, S> {
    fn of(request: &HttpRequest) -> Result<Self> {
        let (mut limit, mut cursor, mut include_total, mut sort) = (50, None, false, S::default());
        let mut others = Vec::new();
        let mut filters = Vec::new();
        for (name, value) in query::pairs(request.query_string())? {
            match name.as_str() {
                "limit" => {
                    limit = one_of(&name, &value, value.parse().ok().filter(|n| (1..=200).contains(n)))?;
                }
                "include_total" => include_total = one_of(&name, &value, value.parse().ok())?,
                "cursor" => cursor = Some(value),
                "sort" => {
                    let parsed = serde_json::from_value(serde_json::Value::String(value.clone())).ok();
                    sort = one_of(&name, &value, parsed.filter(|_| std::mem::size_of::<S>() > 0))?;
                    others.push((name, value));
                }
                _ => {
                    others.push((name.clone(), value.clone()));
                    filters.push((name, value));
                }
            }
        }
        let after = cursor.map(|text| open(&text, digest(&others))).transpose()?;
        let address = format!("{}{}", PublicAddress::of(request), request.path());
        let filter = query::read(filters)?;
        let columns = || request.app_data::<Data<Contract>>()?.columns_at(request.path());
        let file = FileFormat::asked_for(request.headers()).and_then(|format| Some((format, columns()?)));
        Ok(Self { filter, sort, limit, after, include_total, file, is_first: true, address, others })
    }

    /// The answer with one page. `items` holds up to one item more than the page: the extra item shows that a next page
    /// follows.
    pub fn answer<T, V: Serialize>(
        &self,
        mut items: Vec<T>,
        total: Option<i64>,
        cursor: impl Fn(&T) -> Cursor,
        view: impl Fn(T) -> V,
    ) -> Listed {
        let limit = usize::try_from(self.limit).unwrap_or(50);
        let more = items.len() > limit;
        items.truncate(limit);
        let end = items.last().filter(|_| more).map(&cursor);
        if let Some((format, columns)) = &self.file {
            let body = format.write(columns, self.is_first, items.into_iter().map(view));
            return Listed { answer: Answer { body, ..Answer::nothing() }, end };
        }
        let next_cursor = end.clone().map(|end| seal(end, digest(&self.others)));
        let next = next_cursor.as_ref().map(|cursor| self.address_of(cursor));
        let items: Vec<V> = items.into_iter().map(view).collect();
        Listed { answer: Answer { next, ..Answer::ok(&Page { items, next_cursor, total }) }, end }
    }

    fn address_of(&self, cursor: &str) -> String {
        let mut query = self.others.clone();
        query.push(("limit".into(), self.limit.to_string()));
        if self.include_total {
            query.push(("include_total".into(), "true".into()));
        }
        query.push(("cursor".into(), cursor.to_owned()));
        format!("{}?{}", self.address, serde_urlencoded::to_string(&query).unwrap_or_default())
    }
}

impl<F, S> PageRequest<F, S> {
    /// The format of the file that the caller asks for; none where the caller asks for a page.
    #[must_use]
    pub fn file_format(&self) -> Option<FileFormat> {
        self.file.as_ref().map(|(format, _)| *format)
    }

    /// The name of a file of the list, without its ending: the last part of the address.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.address.rsplit('/').next().unwrap_or("list")
    }

    /// Walks the whole list in the pages of a file, from where the request starts.
    pub fn walk(
        &mut self,
        mut page: impl FnMut(&Self) -> Result<Listed>,
        mut piece: impl FnMut(Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        (self.limit, self.include_total) = (export::ROWS, false);
        loop {
            let Listed { answer, end } = page(self)?;
            piece(answer.body)?;
            self.is_first = false;
            match end {
                Some(end) => self.after = Some(end),
                None => return Ok(()),
            }
        }
    }
}

/// One page of a list as sent. The contract names one schema per list, made with `page_of!`.
#[derive(Serialize)]
pub struct Page<V> {
    items: Vec<V>,
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

/// Declares the schema of one list's page.
macro_rules! page_of {
    ($(#[$meta:meta])* $vis:vis $name:ident of $view:ty) => {
        $(#[$meta])*
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "documents what `Page` sends")]
        $vis struct $name {
            /// The items, in the order asked for.
            #[schema(max_items = 200)]
            items: Vec<$view>,
            /// Pass it as `cursor` for the next page; null on the last one.
            #[schema(max_length = 1024)]
            next_cursor: Option<String>,
            /// How many items match in all; only with `include_total=true`.
            #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
            total: Option<i64>,
        }
    };
}
pub(crate) use page_of;

/// Restricts a boxed query to the rows of one page and one row more: the rows after the cursor, in order.
/// `newest` and `oldest` order by id, `newest by` by another column of ids; a text column with `asc` or `desc` orders by the column, then by id.
/// Comparing a row value lets one index serve both the order and the start.
macro_rules! keyset {
    ($query:expr, $page:expr, $table:ident, newest) => {{
        let query = match &$page.after {
            Some(cursor) => $query.filter($table::id.lt(cursor.id)),
            None => $query,
        };
        query.order($table::id.desc()).limit($page.limit + 1)
    }};
    ($query:expr, $page:expr, $table:ident, newest by $key:ident) => {{
        let query = match &$page.after {
            Some(cursor) => $query.filter($table::$key.lt(cursor.id)),
            None => $query,
        };
        query.order($table::$key.desc()).limit($page.limit + 1)
    }};
    ($query:expr, $page:expr, $table:ident, oldest) => {{
        let query = match &$page.after {
            Some(cursor) => $query.filter($table::id.gt(cursor.id)),
            None => $query,
        };
        query.order($table::id.asc()).limit($page.limit + 1)
    }};
    ($query:expr, $page:expr, $table:ident, $column:ident, $order:ident) => {{
        let query = match &$page.after {
            Some(cursor) => {
                let compare = if stringify!($order) == "asc" { ">" } else { "<" };
                $query.filter(
                    diesel::dsl::sql::<diesel::sql_types::Bool>(concat!(
                        "(",
                        stringify!($table),
                        ".",
                        stringify!($column),
                        ", ",
                        stringify!($table),
                        ".id) "
                    ))
                    .sql(compare)
                    .sql(" (")
                    .bind::<diesel::sql_types::Text, _>(cursor.key.clone().unwrap_or_default())
                    .sql(", ")
                    .bind::<$crate::platform::db::types::Guid, _>(cursor.id)
                    .sql(")"),
                )
            }
            None => $query,
        };
        query.order(($table::$column.$order(), $table::id.$order())).limit($page.limit + 1)
    }};
}
pub(crate) use keyset;

diesel::define_sql_function! {
    /// `coalesce(column, column)` is the value of the column, and no index serves the expression.
    fn coalesce<T: diesel::sql_types::SingleValue>(first: T, second: T) -> T;
}

/// A column without its index. SQLite keeps no statistics, and may choose an index of many rows where another filter of
/// the list leaves few, or gather and sort all matching rows where the order by id would find the newest at once.
macro_rules! unindexed {
    ($table:ident::$column:ident) => {
        $crate::platform::http::coalesce($table::$column, $table::$column)
    };
}
pub(crate) use unindexed;

/// Filters a list by the value of a column: by the column's index, unless another filter (`$narrow`) leaves few records.
macro_rules! matches_value {
    ($query:expr, $table:ident::$column:ident, $value:expr, $narrow:expr) => {
        if $narrow {
            $query.filter($crate::platform::http::unindexed!($table::$column).eq($value))
        } else {
            $query.filter($table::$column.eq($value))
        }
    };
}
pub(crate) use matches_value;

fn one_of<T>(name: &str, value: &str, parsed: Option<T>) -> Result<T> {
    parsed.ok_or_else(|| {
        Error::new(
            &codes::UNKNOWN_PARAMETER,
            text!(
                "{name}: {value:?} is not a value this list takes",
                "{name} に {value:?} は指定できません。"
            ),
        )
    })
}

fn seal(cursor: Cursor, query: u32) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Sealed { cursor, query }).unwrap_or_default())
}

fn open(text: &str, query: u32) -> Result<Cursor> {
    let sealed: Option<Sealed> =
        BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match sealed {
        Some(sealed) if sealed.query == query && sealed.cursor.can_be_a_key() => Ok(sealed.cursor),
        Some(sealed) if sealed.query != query => Err(Error::new(
            &codes::INVALID_CURSOR,
            text!(
                "this cursor belongs to other filters or another order",
                "このカーソルは、別の絞り込み条件または並び順のものです。"
            ),
        )),
        _ => Err(Error::new(
            &codes::INVALID_CURSOR,
            text!(
                "pass next_cursor of the page before, unchanged",
                "前のページの next_cursor を変更せずに指定してください。"
            ),
        )),
    }
}

/// A short digest of the filters and the order (FNV-1a); the digest guards against mistakes, not against attackers.
fn digest(pairs: &[(String, String)]) -> u32 {
    let mut pairs: Vec<_> = pairs.iter().collect();
    pairs.sort();
    pairs
        .iter()
        .flat_map(|(name, value)| name.bytes().chain([b'=']).chain(value.bytes()).chain([b'&']))
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
