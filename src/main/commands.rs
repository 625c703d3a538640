//! The commands that work on the records without serving requests.

use crate::say::{say, say_line};
use indicatif::{ProgressBar, ProgressStyle};
use partner_incentives::{
    access::{BackgroundContext, Tx},
    app::{self, Service},
    audit::Seal,
    earnings::calculation::{self, proof},
    network::partners::{self, Partner},
    operations::{jobs::refresh, verify},
    participation::{eligibility, programs},
    platform::{
        Error, Result, csv,
        values::{CalendarDate, Id, Locale},
    },
    sales::imports,
    slice::VerifyFinding,
};
use std::{
    fs::File,
    io::{IsTerminal, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The time between two lines of progress.
const BETWEEN_LINES: Duration = Duration::from_secs(2);

/// The file to import, and how to import it.
#[derive(clap::Args)]
pub struct ImportCommand {
    /// The path of the file.
    file: PathBuf,
    /// csv or ndjson; by the file's ending where left out.
    #[arg(long)]
    format: Option<imports::Format>,
    /// Only tries, and records nothing.
    #[arg(long)]
    dry_run: bool,
    /// Ignores columns and members that no transaction has.
    #[arg(long)]
    ignore_unknown_columns: bool,
    /// Where to write the faults of the rows that were left out, as CSV.
    #[arg(long)]
    errors: Option<PathBuf>,
}

/// Runs every check, also after one has failed, and prints a line for each check.
pub fn check_records(service: &Service, expect: Option<Seal>) -> Result<()> {
    let findings = verify::run(&service.app, app::checks(), expect)?;
    service.close();
    let mut sound = true;
    for (check, finding) in findings {
        match finding {
            VerifyFinding::Sound(detail) => say_line!("{check}: sound, {detail}")?,
            VerifyFinding::Broken(difference) => {
                say_line!("{check}: BROKEN, {difference}")?;
                sound = false;
            }
        }
    }
    if sound { Ok(()) } else { Err(Error::internal("the records are not what the service wrote")) }
}

/// Runs the daily refresh and prints its progress, on a terminal in one line.
pub fn daily_refresh(service: &Service) -> Result<()> {
    let in_place = std::io::stdout().is_terminal();
    let run = refresh::run_now(&service.app, |run| {
        let line = format!("{}: {} of {}", run.step, run.done, run.total.unwrap_or(run.done));
        // Who cannot be told how far the run has come is told its end, or why it cannot be told.
        let _ = if in_place { say(format_args!("\r{line:<40}")) } else { say_line!("{line}") };
    })?;
    if in_place {
        say(format_args!("\n"))?;
    }
    match run.error {
        None => say_line!("run {} {}", run.id, run.state)?,
        Some(error) => return Err(Error::internal(format!("run {} {}: {error}", run.id, run.state))),
    }
    Ok(())
}

pub fn verdict(
    service: &Service,
    partner: &str,
    program: &str,
    as_of: Option<CalendarDate>,
    json: bool,
) -> Result<String> {
    service.app.read_as_system(|tx| {
        let partner = partner_of(tx, partner)?;
        let program = programs::find(tx, &program.parse().map_err(Error::internal)?)?;
        let day = as_of.unwrap_or_else(|| tx.today());
        let version = programs::version_for(tx, &program, day)?;
        let assessment = eligibility::assess(tx, &partner, &program, &version, day)?;
        Ok(if json {
            assessment.to_json(&program.code)?
        } else {
            assessment.for_people(&partner.legal_name, &program.name)
        })
    })
}

/// The partner of an id or an MPN id.
pub fn partner_of(tx: &mut Tx<'_>, key: &str) -> Result<Partner> {
    match key.parse::<Id>() {
        Ok(id) => partners::get(tx, id),
        Err(_) => partners::get_by_mpn_id(tx, key),
    }
}

/// Shows where a partner's books differ from what everything on record gives; with a reason, posts the differences.
pub fn recalculate(service: &Service, partner: &str, reason: Option<&str>) -> Result<()> {
    let partner = service.app.read_as_system(|tx| partner_of(tx, partner))?.id;
    for difference in service.app.read_as_system(|tx| proof::differences(tx, Some(partner)))? {
        say_line!("{}", verify::told(difference))?;
    }
    let Some(reason) = reason.map(str::to_owned) else { return Ok(()) };
    service.app.write_as_system("RecalculatePartner", move |tx| {
        let run = calculation::recalculate(tx, partner, &reason)?;
        if run.covers(Some(partner)) { Ok(()) } else { Err(calculation::run_at_work(&run)) }
    })?;
    let run = calculation::calculate(&service.app, Some(partner), |_| ControlFlow::Continue(()))?;
    say_line!("{} earnings, {} ineligible records", run.earnings, run.ineligible_records)?;
    Ok(())
}

/// Calculates the waiting sales of one partner or of all partners, with a progress bar.
pub fn calculate(service: &Service, partner: Option<&str>) -> Result<()> {
    let named = |key: &str| service.app.read_as_system(|tx| partner_of(tx, key));
    let partner = partner.map(named).transpose()?.map(|partner| partner.id);
    let bar = ProgressBar::new(0);
    let look = "{bar:40} {pos} of {len} partners, {msg} sales, {eta} to go";
    bar.set_style(ProgressStyle::with_template(look).map_err(Error::internal)?);
    let mut told: Option<Instant> = None;
    let run = calculation::calculate(&service.app, partner, |run| {
        bar.set_length(run.total.max(run.done).unsigned_abs());
        bar.set_position(run.done.unsigned_abs());
        bar.set_message(run.sales.to_string());
        // Where there is no terminal for a bar, a line tells now and then.
        if bar.is_hidden() && told.is_none_or(|told| told.elapsed() >= BETWEEN_LINES) {
            told = Some(Instant::now());
            let total = run.total.max(run.done);
            let _ = say_line!("{} of {total} partners, {} sales", run.done, run.sales);
        }
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    say_line!(
        "{} sales of {} partners: {} earnings, {} ineligible records",
        run.sales,
        run.done,
        run.earnings,
        run.ineligible_records
    )?;
    Ok(())
}

/// Imports a file and prints the counts of its rows; fails where a row was left out.
pub fn import(service: &Service, command: &ImportCommand) -> Result<()> {
    let ending = command.file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let by_ending = || ending.parse().map_err(|_| Error::internal("say --format csv or --format ndjson"));
    let options = imports::ImportOptions {
        format: command.format.map_or_else(by_ending, Ok)?,
        dry_run: command.dry_run,
        ignore_unknown_columns: command.ignore_unknown_columns,
    };
    let named = |error: std::io::Error| Error::internal(format!("{}: {error}", command.file.display()));
    let file = File::open(&command.file).map_err(named)?;
    let errors = command.errors.as_deref().map(|path| file_of_errors(path, &command.file)).transpose()?;
    let bar = ProgressBar::new(file.metadata().map_err(named)?.len());
    let look = "{bar:40} {percent}% {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go";
    bar.set_style(ProgressStyle::with_template(look).map_err(Error::internal)?);
    if bar.is_hidden() {
        say_line!("Importing {} ({} bytes)", command.file.display(), bar.length().unwrap_or_default())?;
    }
    let background = service.app.background("CreateTransactionImport");
    let import = imports::import_file(&background, options, bar.wrap_read(file))?;
    bar.finish_and_clear();
    let imports::Import { id, rows_read, created, unchanged, conflicts, invalid, .. } = &import;
    let verb = if import.dry_run { "good to be recorded" } else { "recorded" };
    say_line!(
        "Import {id}: {rows_read} rows; {created} {verb}, {unchanged} unchanged, {conflicts} in conflict, {invalid} not valid"
    )?;
    if import.unknown_family_rows > 0 {
        let families = import.unknown_families.0.join(", ");
        let rows = import.unknown_family_rows;
        say_line!("Warning: {rows} rows have a product family that no program names, such as {families}")?;
    }
    if let Some(file) = errors {
        write_errors(&background, import.id, file)?;
    }
    match (conflicts + invalid, &import.failure) {
        (0, None) => Ok(()),
        (0, Some(failure)) => Err(Error::internal(failure.clone())),
        (left_out, _) => Err(Error::internal(format!("{left_out} rows were left out"))),
    }
}

/// Opens the file of errors before the work begins, so that the errors have a place.
fn file_of_errors(path: &Path, imported: &Path) -> Result<File> {
    let refused = |why: String| Error::internal(format!("--errors {}: {why}", path.display()));
    if path.canonicalize().is_ok_and(|path| imported.canonicalize().is_ok_and(|imported| imported == path)) {
        return Err(refused("this is the file to import; name another file for its errors".into()));
    }
    File::create(path)
        .map_err(|error| refused(format!("the file cannot be written ({error}); name one that can")))
}

fn write_errors(background: &BackgroundContext, import: Id, mut file: File) -> Result<()> {
    let mut text = String::new();
    csv::line(&mut text, ["line", "external_id", "pointer", "code", "message", "remedy"]);
    let mut after = None;
    loop {
        let errors = imports::errors_of(background, import, after)?;
        for error in &errors {
            let imports::ImportError { pointer, code, message, .. } = error;
            let external_id = error.external_id.as_deref().unwrap_or_default();
            let remedy = imports::remedy(error, Locale::default());
            csv::line(&mut text, [&*error.line.to_string(), external_id, pointer, code, message, remedy]);
        }
        file.write_all(text.as_bytes()).map_err(Error::internal)?;
        text.clear();
        match errors.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
    }
}
