//! The statement as a page, to read in a browser and to print on A4. The page loads nothing from elsewhere.

use super::{
    chart::{self, Chart},
    statement_view::{Statement, StatementMonth, StatementProgram},
    words,
};
use crate::{
    notifications::{day, instant},
    participation::programs,
    platform::{
        Error, Result,
        values::{Currency, Locale, Month, Rate, in_groups},
    },
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, syntax::SyntaxConfig, value::Serde};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

/// The style sheet of the page; the page allows no other style. Other pages to print share it.
pub const STYLE: &str = include_str!("templates/statement.css");

static PAGE: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("figure", figure);
    environment.add_filter("percent", |rate: Serde<Rate>| words::percent(rate.0));
    environment.add_template("statement", include_str!("templates/statement.html"))?;
    Ok(environment)
});

/// The statement as HTML.
pub(super) fn page(statement: &Statement, language: Locale) -> Result<String> {
    let charts = statement.programs.iter().map(|program| charts(program, statement.month, language));
    let charts: Vec<Vec<Chart>> = charts.collect::<Result<_>>()?;
    let months: Vec<Vec<Vec<String>>> =
        charts.iter().map(|charts| charts.iter().map(|chart| names(chart, language)).collect()).collect();
    let facts = context! {
        lang => language.as_str(),
        t => words::of_page(language),
        month => words::month(statement.month, language),
        closed_on => statement.closed_at.map(|at| day(at.date(), language)),
        as_of => statement.as_of.map(|at| instant(at, language)),
        style => STYLE,
        statement => Serde(statement),
        charts => Serde(&charts),
        months,
    };
    let environment = PAGE.as_ref().map_err(|error| Error::internal(error.to_string()))?;
    let template = environment.get_template("statement").map_err(Error::internal)?;
    template.render(facts).map_err(Error::internal)
}

/// The charts of a program, one for each currency of its earnings.
fn charts(program: &StatementProgram, month: Month, language: Locale) -> Result<Vec<Chart>> {
    let year = programs::program_year_of(month.first_day());
    let begins = programs::program_year(year).map_or(month, |days| Month::of(days.from));
    let currencies: BTreeSet<Currency> = program.months.iter().map(|item| item.amount.currency).collect();
    let draw = |currency: Currency| {
        let given = program.months.iter().filter(|item| item.amount.currency == currency);
        let given: Vec<&StatementMonth> = given.collect();
        chart::chart(&given, (begins, month), currency, language).transpose()
    };
    currencies.into_iter().filter_map(draw).collect()
}

fn names(chart: &Chart, language: Locale) -> Vec<String> {
    chart.rows.iter().map(|row| words::month(row.month, language)).collect()
}

/// An amount among a template's facts, as decimal text. A sum may have more digits than an amount that the API takes.
#[derive(Debug, Deserialize)]
pub struct Figure {
    amount: String,
}

/// The text of an amount in a table; the currency has a column of its own.
#[must_use]
pub fn figure(money: Serde<Figure>) -> String {
    in_groups(&money.amount).replace('-', "\u{2212}")
}
