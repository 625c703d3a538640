//! The statement as a table: one row for each line of the statement, so that a spreadsheet can sum the columns.

use super::{
    owed_view::{StatementBalance, StatementFund},
    statement_view::{Statement, StatementLine, StatementProgram, StatementSlice, StatementTotal},
};
use crate::platform::{
    csv,
    values::{Locale, Money, Words},
};

/// The headings. Those in English are names for programs, and stay.
const COLUMNS: [Words<'_>; 16] = [
    Words::new("section", "区分"),
    Words::new("program", "プログラム"),
    Words::new("program_year", "プログラム年度"),
    Words::new("lever", "リベート区分"),
    Words::new("earned_in", "獲得月"),
    Words::new("code", "コード"),
    Words::new("text", "内容"),
    Words::new("count", "件数"),
    Words::new("rate", "料率"),
    Words::new("currency", "通貨"),
    Words::new("base", "対象額"),
    Words::new("amount", "金額"),
    Words::new("rebate", "リベート"),
    Words::new("coop", "Co-op"),
    Words::new("adjusted", "調整"),
    Words::new("owed", "支払対象額"),
];

/// The row of what is announced to be lost; its text is the first day of the loss.
const TO_BE_LOST: &str = "to_be_lost";

/// A row of the table; cells without a value stay empty.
#[derive(Default)]
struct TableRow {
    section: &'static str,
    lever: String,
    earned_in: String,
    code: String,
    text: String,
    count: String,
    rate: String,
    /// The amounts of the columns from `base` on.
    money: [Option<Money>; 6],
}

/// The statement as comma-separated values. The rows `earning`, `correction`, `adjustment` and `converted` add up to `total`. The
/// other rows are not part of the total: `earning_slice` and `correction_slice` are the parts by rates of the line above them,
/// `ineligible` the sales that did not earn. Of the amounts owed, `carried_in` and `new` less `paid` and `forfeited` are `carried_out`; a part
/// of that is `on_hold`, `missing_to_threshold` is missing to the payment `threshold`, and `to_be_lost` is announced to be lost; `payment`
/// is what went to the bank account, with the day as its code and the bank's reference as its text. `coop_earned` of a half-year, named
/// by its first month, is `coop_planned`, `coop_committed`, `coop_paid`, `coop_forfeited` and `coop_remaining`, with the last day for claims
/// as their text.
pub(super) fn table(statement: &Statement, language: Locale) -> String {
    let mut text = String::new();
    csv::line(&mut text, COLUMNS.map(|heading| language.of(heading)));
    for program in &statement.programs {
        for row in rows(program) {
            let year = program.program_year.to_string();
            write(&mut text, &row, &program.program, &year);
        }
    }
    for total in &statement.totals {
        write(&mut text, &TableRow { section: "grand_total", ..TableRow::from(total) }, "", "");
    }
    text
}

fn write(text: &mut String, row: &TableRow, program: &str, year: &str) {
    let currency = row.money.iter().flatten().map(|money| money.currency.as_str()).next();
    let money = row.money.map(|money| money.map(Money::amount).unwrap_or_default());
    let TableRow { section, lever, earned_in, code, text: words, count, rate, .. } = row;
    let currency = currency.unwrap_or_default();
    let cells = [*section, program, year, lever, earned_in, code, words, count, rate, currency];
    csv::line(text, cells.into_iter().chain(money.iter().map(String::as_str)));
}

fn rows(program: &StatementProgram) -> Vec<TableRow> {
    let mut rows: Vec<TableRow> = Vec::new();
    rows.extend(program.earnings.iter().flat_map(|line| with_slices(line, ["earning", "earning_slice"])));
    rows.extend(
        program.corrections.iter().flat_map(|line| with_slices(line, ["correction", "correction_slice"])),
    );
    rows.extend(program.adjustments.iter().map(|adjustment| TableRow {
        section: "adjustment",
        earned_in: adjustment.earned_in.to_string(),
        code: adjustment.reason_code.to_string(),
        text: adjustment.comment.clone(),
        money: [None, None, None, None, Some(adjustment.amount), Some(adjustment.amount)],
        ..TableRow::default()
    }));
    rows.extend(program.rebates.iter().filter_map(|rebate| rebate.converted).map(|converted| TableRow {
        section: "converted",
        money: [None, None, None, None, None, Some(converted)],
        ..TableRow::default()
    }));
    rows.extend(program.ineligible.iter().map(|reason| TableRow {
        section: "ineligible",
        lever: reason.lever.clone(),
        earned_in: reason.earned_in.to_string(),
        code: reason.code.clone(),
        text: reason.message.clone(),
        count: (reason.records - reason.cured).to_string(),
        rate: String::new(),
        money: [Some(reason.billed), Some(reason.capped), None, None, None, None],
    }));
    rows.extend(program.balances.iter().flat_map(of_balance));
    rows.extend(program.payments.iter().map(|payment| TableRow {
        section: "payment",
        code: payment.on.to_string(),
        text: payment.reference.clone(),
        money: [None, None, None, None, None, Some(payment.amount)],
        ..TableRow::default()
    }));
    rows.extend(program.coop_funds.iter().flat_map(of_fund));
    rows.extend(program.totals.iter().map(|total| TableRow { section: "total", ..TableRow::from(total) }));
    rows
}

/// The rows of a balance.
fn of_balance(balance: &StatementBalance) -> impl Iterator<Item = TableRow> + use<> {
    let StatementBalance {
        carried_in,
        new,
        paid,
        forfeited,
        carried_out,
        in_payment,
        on_hold,
        threshold,
        missing,
        to_be_lost,
        lost_from,
    } = balance;
    let rows = [
        ("carried_in", Some(*carried_in)),
        ("new", Some(*new)),
        ("paid", Some(*paid)),
        ("forfeited", *forfeited),
        ("carried_out", Some(*carried_out)),
        ("in_payment", *in_payment),
        ("on_hold", Some(*on_hold)),
        ("threshold", *threshold),
        ("missing_to_threshold", *missing),
        (TO_BE_LOST, *to_be_lost),
    ];
    let lost_from = lost_from.map(|day| day.to_string()).unwrap_or_default();
    rows.into_iter().filter(|(_, owed)| owed.is_some()).map(move |(section, owed)| TableRow {
        section,
        text: if section == TO_BE_LOST { lost_from.clone() } else { String::new() },
        money: [None, None, None, None, None, owed],
        ..TableRow::default()
    })
}

/// The rows of a co-op fund.
fn of_fund(fund: &StatementFund) -> impl Iterator<Item = TableRow> + use<> {
    let rows = [
        ("coop_earned", fund.earned),
        ("coop_planned", fund.planned),
        ("coop_committed", fund.committed),
        ("coop_paid", fund.paid),
        ("coop_forfeited", fund.forfeited),
        ("coop_remaining", fund.remaining),
    ];
    let (half_year, code, until) = (fund.half_year, fund.state, fund.claims_until);
    rows.into_iter().map(move |(section, amount)| TableRow {
        section,
        earned_in: half_year.to_string(),
        code: code.to_string(),
        text: until.to_string(),
        money: [None, None, None, Some(amount), None, None],
        ..TableRow::default()
    })
}

/// The row of a line, and those of its slices.
fn with_slices<'a>(
    line: &'a StatementLine,
    [section, of_slices]: [&'static str; 2],
) -> impl Iterator<Item = TableRow> + use<'a> {
    let slice = move |slice: &StatementSlice| TableRow {
        section: of_slices,
        lever: line.lever.clone(),
        earned_in: line.earned_in.to_string(),
        text: line.name.clone(),
        rate: slice.rate.to_string(),
        money: [Some(slice.base), Some(slice.amount), None, None, None, None],
        ..TableRow::default()
    };
    std::iter::once(TableRow { section, ..TableRow::from(line) }).chain(line.slices.iter().map(slice))
}

impl From<&StatementLine> for TableRow {
    fn from(line: &StatementLine) -> Self {
        Self {
            lever: line.lever.clone(),
            earned_in: line.earned_in.to_string(),
            text: line.name.clone(),
            count: line.earnings.to_string(),
            money: [Some(line.base), Some(line.amount), Some(line.rebate), Some(line.coop), None, None],
            ..Self::default()
        }
    }
}

impl From<&StatementTotal> for TableRow {
    fn from(total: &StatementTotal) -> Self {
        let StatementTotal { amount, rebate, coop, adjusted, owed, converted: _ } = total;
        Self {
            money: [None, Some(*amount), Some(*rebate), Some(*coop), Some(*adjusted), Some(*owed)],
            ..Self::default()
        }
    }
}
