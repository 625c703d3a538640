//! The chart of a statement: one bar for each month, stacked by lever, as SVG. The names of levers stand in the legend
//! beside the drawing, so the drawing holds no text that a person has typed.

use super::{statement_view::StatementMonth, words};
use crate::platform::{
    Error, Result,
    values::{Currency, Locale, Money, Month},
};
use plotters::prelude::*;
use serde::Serialize;

/// The most series of a chart; the smallest levers beyond share the last series.
const SERIES: usize = 8;
/// Colours that differ in hue for the colour-blind and in lightness on paper (Okabe and Ito).
const COLOURS: [(u8, u8, u8); SERIES] = [
    (0x00, 0x72, 0xb2),
    (0xe6, 0x9f, 0x00),
    (0x00, 0x9e, 0x73),
    (0xcc, 0x79, 0xa7),
    (0x56, 0xb4, 0xe9),
    (0xd5, 0x5e, 0x00),
    (0xf0, 0xe4, 0x42),
    (0x55, 0x55, 0x55),
];
const INK: RGBColor = RGBColor(0x44, 0x4b, 0x54);
const GRID: RGBColor = RGBColor(0xdd, 0xe1, 0xe6);
const SIZE: (u32, u32) = (660, 240);
/// The months of a year; the axis always has room for all.
const YEAR: i32 = 12;
/// A segment lower than this part of the drawing has no outline: the outline would hide the segment.
const FINE: i64 = 60;
/// The width of a month on the axis.
const WIDTH: i32 = 100;
/// The begin and the end of a bar in its month.
const BAR: (i32, i32) = (22, 78);

/// A drawing with its legend and its figures, in one currency.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub currency: Currency,
    /// The opening tag of the SVG; the page puts a title and a description behind the tag.
    pub opening: String,
    /// The SVG behind the opening tag.
    pub drawing: String,
    /// The series, the largest first.
    pub legend: Vec<LegendEntry>,
    /// The figures of each month.
    pub rows: Vec<ChartRow>,
    /// The sum of each series, in the order of the legend.
    pub sums: Vec<Money>,
    /// The sum of all series.
    pub total: Money,
}

/// A series in the legend of a chart.
#[derive(Debug, Serialize)]
pub(super) struct LegendEntry {
    /// The letter that stands for the series, from A.
    pub letter: char,
    /// The colour as `#rrggbb`.
    pub colour: String,
    pub name: String,
}

/// The figures of a month in a chart.
#[derive(Debug, Serialize)]
pub(super) struct ChartRow {
    pub month: Month,
    /// The earnings of each series, in the order of the legend.
    pub figures: Vec<Money>,
    pub sum: Money,
}

/// Draws the earnings of levers in the months from the first to the last; none where no lever earned.
pub(super) fn chart(
    given: &[&StatementMonth],
    (from, to): (Month, Month),
    currency: Currency,
    language: Locale,
) -> Result<Option<Chart>> {
    let months: Vec<Month> = (0..YEAR).map(|n| from.plus(n)).take_while(|month| *month <= to).collect();
    let series = series(given, &months, language);
    let heights = |sign: i64| {
        let of = |at: usize| {
            series.iter().map(|(_, line)| (line.get(at).copied().unwrap_or(0) * sign).max(0)).sum()
        };
        (0..months.len()).map(of).max().unwrap_or(0)
    };
    let (above, below): (i64, i64) = (heights(1), heights(-1));
    if above == 0 && below == 0 {
        return Ok(None);
    }
    let lines: Vec<&[i64]> = series.iter().map(|(_, line)| line.as_slice()).collect();
    let unit = unit_of_drawing(above.max(below));
    let drawn: Vec<Vec<i64>> =
        lines.iter().map(|line| line.iter().map(|figure| figure / unit).collect()).collect();
    let marks = ticks(above / unit, below / unit);
    let svg =
        draw(from, &drawn, &marks, Money { minor: unit, currency }, language).map_err(Error::internal)?;
    let (opening, drawing) = svg.split_once('>').unwrap_or_default();
    let money = |minor| Money { minor, currency };
    let row = |(at, month): (usize, &Month)| {
        let figures: Vec<i64> = lines.iter().map(|line| line.get(at).copied().unwrap_or(0)).collect();
        let sum = money(figures.iter().sum());
        ChartRow { month: *month, figures: figures.into_iter().map(money).collect(), sum }
    };
    Ok(Some(Chart {
        currency,
        opening: opening.to_owned(),
        drawing: drawing.to_owned(),
        rows: months.iter().enumerate().map(row).collect(),
        sums: lines.iter().map(|line| money(line.iter().sum())).collect(),
        total: money(lines.iter().copied().flatten().sum()),
        legend: ('A'..)
            .zip(series)
            .zip(COLOURS)
            .map(|((letter, (name, _)), colour)| LegendEntry { letter, colour: hex(colour), name })
            .collect(),
    }))
}

/// The earnings of each lever month by month, the largest lever first; the smallest levers beyond [`SERIES`] in one
/// series.
fn series(given: &[&StatementMonth], months: &[Month], language: Locale) -> Vec<(String, Vec<i64>)> {
    let mut all: Vec<(&str, String, Vec<i64>)> = Vec::new();
    for item in given {
        let Some(at) = months.iter().position(|month| *month == item.month) else { continue };
        if !all.iter().any(|(lever, ..)| *lever == item.lever) {
            all.push((&item.lever, item.name.clone(), vec![0; months.len()]));
        }
        let line = all.iter_mut().find(|(lever, ..)| *lever == item.lever);
        if let Some(figure) = line.and_then(|(.., line)| line.get_mut(at)) {
            *figure += item.amount.minor;
        }
    }
    let size = |line: &[i64]| -> i64 { line.iter().map(|figure| figure.abs()).sum() };
    all.sort_by(|a, b| size(&b.2).cmp(&size(&a.2)).then_with(|| a.0.cmp(b.0)));
    let mut series: Vec<_> = all.into_iter().map(|(_, name, line)| (name, line)).collect();
    if series.len() > SERIES {
        let rest = series.split_off(SERIES - 1);
        let sum = |at: usize| rest.iter().map(|(_, line)| line.get(at).copied().unwrap_or(0)).sum();
        let name = words::of_page(language).get("other").copied().unwrap_or_default();
        series.push((name.to_owned(), (0..months.len()).map(sum).collect()));
    }
    series
}

type Drawn<T> = std::result::Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// The minor units that make one unit of a drawing's height: one, and for amounts near the end of the range a power of
/// ten, so that the heights of bars never leave the range.
fn unit_of_drawing(largest: i64) -> i64 {
    let mut unit = 1;
    while largest / unit > Money::LIMIT {
        unit *= 10;
    }
    unit
}

/// Draws bars of these heights beside an axis with these marks; `unit` is the amount that makes one unit of the height.
fn draw(from: Month, lines: &[Vec<i64>], ticks: &[i64], unit: Money, language: Locale) -> Drawn<String> {
    let (low, high) = (ticks.first().copied().unwrap_or(0), ticks.last().copied().unwrap_or(1));
    let amount = |mark: i64| Money { minor: mark.saturating_mul(unit.minor), ..unit };
    let amounts: Vec<Money> = ticks.iter().copied().map(amount).collect();
    let label = |mark: &i64| label(amount(*mark), &amounts);
    let widest = ticks.iter().map(|tick| label(tick).chars().count()).max().unwrap_or(0);
    let right = WIDTH * YEAR;
    let middles: Vec<i32> = (0..YEAR).map(|at| at * WIDTH + WIDTH / 2).collect();
    let name = |x: &i32| words::short_month(from.plus(x / WIDTH), language);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(26)
            .y_label_area_size(u32::try_from(14 + widest * 7).unwrap_or(60))
            .build_cartesian_2d(
                (0..right).with_key_points(middles),
                (low..high).with_key_points(ticks.to_vec()),
            )?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(("sans-serif", 12).into_font().color(&INK))
            .set_tick_mark_size(LabelAreaPosition::Left, 6)
            .set_tick_mark_size(LabelAreaPosition::Bottom, 4)
            .x_label_formatter(&name)
            .y_label_formatter(&label)
            .draw()?;
        chart.draw_series(bars(lines, high - low))?;
        chart.draw_series(std::iter::once(PathElement::new(vec![(0, 0), (right, 0)], INK)))?;
        area.present()?;
    }
    Ok(svg)
}

/// The bars of a drawing of this height: positive amounts stand on the base line, negative amounts hang from the line.
fn bars(lines: &[Vec<i64>], height: i64) -> Vec<Rectangle<(i32, i64)>> {
    let mut bars = Vec::new();
    for (at, left) in (0..YEAR).map(|at| at * WIDTH).enumerate() {
        let (mut above, mut below) = (0, 0);
        for (line, (r, g, b)) in lines.iter().zip(COLOURS) {
            let figure = line.get(at).copied().unwrap_or(0);
            let end = if figure < 0 { &mut below } else { &mut above };
            let corners = [(left + BAR.0, *end), (left + BAR.1, *end + figure)];
            *end += figure;
            if figure != 0 {
                bars.push(Rectangle::new(corners, RGBColor(r, g, b).filled()));
            }
            if figure.abs().saturating_mul(FINE) > height {
                // A thin line of paper keeps neighbours apart without colour.
                bars.push(Rectangle::new(corners, WHITE.stroke_width(1)));
            }
        }
    }
    bars
}

/// The marks of the axis: about five round amounts that span all bars.
fn ticks(above: i64, below: i64) -> Vec<i64> {
    let rough = (above.saturating_add(below) / 5).max(1);
    let mut step: i64 = 1;
    while step < rough {
        let first = step.to_string().chars().next();
        // 1, 2, 5, 10, ...
        step = if first == Some('2') { step / 2 * 5 } else { step * 2 };
    }
    let (first, last) = ((below + step - 1) / step, (above + step - 1) / step);
    (-first..=last).map(|n| n * step).collect()
}

/// The text of a mark; without a fraction where all marks are whole amounts.
fn label(mark: Money, marks: &[Money]) -> String {
    let unit = 10_i64.pow(mark.currency.digits());
    let whole = marks.iter().all(|mark| mark.minor % unit == 0);
    let text = mark.grouped();
    match text.split_once('.') {
        Some((units, _)) if whole => units.to_owned(),
        _ => text,
    }
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_are_round_and_hold_everything() {
        assert_eq!(ticks(987, 0), [0, 200, 400, 600, 800, 1000]);
        assert_eq!(ticks(100, 0), [0, 20, 40, 60, 80, 100]);
        assert_eq!(ticks(120, 250), [-300, -200, -100, 0, 100, 200]);
        assert_eq!(ticks(0, 3), [-3, -2, -1, 0]);
        assert_eq!(ticks(1, 0), [0, 1]);
    }

    #[test]
    fn the_largest_amount_that_is_stored_can_be_drawn() {
        let month: Month = "2018-07".parse().unwrap();
        let money = |minor| Money { minor, currency: "JPY".parse().unwrap() };
        let item = |lever: &str, minor| StatementMonth {
            month,
            lever: lever.into(),
            name: lever.into(),
            amount: money(minor),
            rebate: money(0),
            coop: money(0),
        };
        let (above, below) = (item("a", i64::MAX), item("b", -i64::MAX));
        for (items, mark) in [
            (vec![above.clone()], "8,000,000,000,000,000,000"),
            (vec![above, below], "-5,000,000,000,000,000,000"),
        ] {
            let given: Vec<_> = items.iter().collect();
            let chart = chart(&given, (month, month), money(0).currency, Locale::En).unwrap().unwrap();
            assert_eq!(chart.sums.first(), Some(&money(i64::MAX)));
            assert!(chart.drawing.contains(mark), "{}", chart.drawing);
        }
        assert_eq!((unit_of_drawing(Money::LIMIT), unit_of_drawing(i64::MAX)), (1, 10_000));
    }

    #[test]
    fn more_levers_than_colours_share_the_last_one() {
        let month: Month = "2018-07".parse().unwrap();
        let money = |minor| Money { minor, currency: Currency::USD };
        let item = |n: i64| StatementMonth {
            month,
            lever: format!("l{n}"),
            name: format!("Lever {n}"),
            amount: money(n * 100),
            rebate: money(0),
            coop: money(0),
        };
        let items: Vec<_> = (1..=12).map(item).collect();
        let given: Vec<_> = items.iter().collect();
        let chart = chart(&given, (month, month), Currency::USD, Locale::En).unwrap().unwrap();
        let names: Vec<_> = chart.legend.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[7]), (8, "Lever 12", "Other levers"));
        assert_eq!(chart.total, money(7800));
        assert_eq!(chart.sums.iter().map(|sum| sum.minor).sum::<i64>(), 7800);
        assert!(chart.opening.starts_with("<svg") && chart.drawing.ends_with("</svg>\n"));
    }
}
