//! The command line. Each command is a few lines over the library.

#[path = "main/backups.rs"]
mod backups;
#[path = "main/commands.rs"]
mod commands;
#[path = "main/help.rs"]
mod help;
#[path = "main/say.rs"]
mod say;
#[path = "main/users.rs"]
mod users;

use backups::{BackupCommand, RestoreCommand, backup, restore};
use clap::{FromArgMatches, Parser, Subcommand};
use commands::{ImportCommand, calculate, check_records, daily_refresh, import, recalculate, verdict};
use partner_incentives::{
    access::Role,
    app::{self, Service},
    audit::Seal,
    config::{DatabaseKind, Settings},
    identity::sessions,
    logging,
    operations::demo,
    platform::{
        Error, Result,
        db::Target,
        http::Doorway,
        values::{CalendarDate, Clock},
    },
    work::JobName,
};
use prometheus::Registry;
use say::say_line;
use std::{io::Write, net::SocketAddr, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use users::{first_operator, make_user};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a vendor's partner incentive programme: a JSON REST API with an OpenAPI contract.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Without a command it serves. Every setting is an option of every command and an environment variable; \
        `help settings` lists them."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default): migrates, installs what a new database needs, listens.
    Serve,
    /// Serve a believable programme on a database of its own, filled at the first start; loopback only.
    Demo,
    /// Bring the database's schema up to date and stop.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// List every setting with its flag, its environment variable and its default.
    Settings,
    /// Work with user accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Judge a partner: every rule of a program with its evidence and its remedy.
    Eligibility {
        /// The partner: its id or its MPN id.
        #[arg(long)]
        partner: String,
        /// The program: its code or its id, as in csp-direct-bill.
        #[arg(long)]
        program: String,
        /// The day to judge by, as in 2026-11-01; today where left out.
        #[arg(long)]
        as_of: Option<CalendarDate>,
        /// Prints JSON, as the API answers.
        #[arg(long)]
        json: bool,
    },
    /// Post what sales have earned since the last time, by the levers of their program versions.
    Calculate {
        /// Only this partner: its id or its MPN id.
        #[arg(long)]
        partner: Option<String>,
    },
    /// Compute a partner again from everything on record, and post where the books differ.
    Recalculate {
        /// The partner: its id or its MPN id.
        #[arg(long)]
        partner: String,
        /// Only shows what differs; nothing is posted.
        #[arg(long)]
        preview: bool,
        /// Why, for the audit trail.
        #[arg(long, required_unless_present = "preview")]
        reason: Option<String>,
    },
    /// Take a file of transactions, as POST /v1/transaction-imports does; it may run beside the service.
    Import(ImportCommand),
    /// Work with the keys that sign access tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check that the records still are what the service wrote: that no audit event was changed or removed.
    Verify {
        /// A head of the audit chain as an earlier run printed it: it must still be part of the chain.
        #[arg(long, value_name = "SEQUENCE:HASH")]
        expect: Option<Seal>,
    },
    /// Write the encryption key and, of SQLite, the database into one file, encrypted with a passphrase; the service may run.
    Backup(BackupCommand),
    /// Put a backup back, on a machine that has nothing; of PostgreSQL the key alone, after the server was restored.
    Restore(RestoreCommand),
    /// Work that runs by the clock.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Ask a running service whether it is ready; for container health checks.
    Health,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make a user and print the temporary password, once.
    Create {
        /// E-mail address; the user name.
        #[arg(long)]
        email: String,
        /// Name shown to people.
        #[arg(long)]
        name: String,
        /// operator, auditor, `incentive_admin` or viewer.
        #[arg(long)]
        role: Role,
        /// The partner, for `incentive_admin` and viewer: its id or its MPN id.
        #[arg(long)]
        partner: Option<String>,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make a new signing key; tokens signed with the ones before stay valid until they expire.
    Rotate,
    /// Seal every secret in the database with the first encryption key; then the others can be left out.
    Reseal,
}

#[derive(Subcommand)]
enum JobsCommand {
    /// Run a job now, or go on with a run that was interrupted, and show how far it has come.
    Run {
        /// The name of the job, as in `GET /v1/jobs`: daily-refresh for example.
        job: JobName,
    },
}

fn main() -> ExitCode {
    let asked = help::with_settings_apart::<CommandLine>().get_matches();
    let CommandLine { command, settings } =
        CommandLine::from_arg_matches(&asked).unwrap_or_else(|error| error.exit());
    logging::start(settings.log_format, &settings.log);
    match run(command.unwrap_or(Command::Serve), settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let detail =
                error.source.as_ref().map_or_else(|| error.sentence().to_owned(), ToString::to_string);
            log::error!("{detail}");
            if !log::log_enabled!(log::Level::Error) {
                let _ = say_line!("{detail}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, mut settings: Settings) -> Result<()> {
    match command {
        Command::Serve => {
            let doorway = take_address(&mut settings)?;
            let service = Service::open(settings)?;
            if service.app.kind()? == DatabaseKind::Sandbox {
                let target = service.db.target();
                say_line!("SANDBOX: {target} holds made-up records, and everybody knows its passwords.")?;
                log::warn!(
                    "{target} is a sandbox: its records are made up, and everybody knows its passwords"
                );
            }
            let app = service.app.clone();
            serve(&service, doorway, move |_| first_operator(&app))
        }
        Command::Demo => {
            settings = settings_of_demo(settings)?;
            let doorway = take_address(&mut settings)?;
            let service = open_demo(settings)?;
            serve(&service, doorway, |address| Ok(demo::guide(address)))
        }
        Command::Migrate => {
            let service = Service::open(settings)?;
            say_line!("{} is up to date", service.db.target())?;
            service.close();
            Ok(())
        }
        Command::Openapi => {
            say_line!("{}", app::contract().json)?;
            Ok(())
        }
        Command::Settings => say::say(format_args!("{}", help::settings())),
        Command::User(command) => {
            let service = Service::open(settings)?;
            make_user(&service, command)?;
            service.close();
            Ok(())
        }
        Command::Eligibility { partner, program, as_of, json } => {
            let service = Service::open(settings)?;
            say_line!("{}", verdict(&service, &partner, &program, as_of, json)?)?;
            service.close();
            Ok(())
        }
        Command::Recalculate { partner, preview, reason } => {
            let service = Service::open(settings)?;
            recalculate(&service, &partner, if preview { None } else { reason.as_deref() })?;
            service.close();
            Ok(())
        }
        Command::Calculate { partner } => {
            let service = Service::open(settings)?;
            let done = calculate(&service, partner.as_deref());
            service.close();
            done
        }
        Command::Import(command) => {
            let service = Service::open(settings)?;
            let done = import(&service, &command);
            service.close();
            done
        }
        Command::Keys(KeysCommand::Rotate) => {
            let service = Service::open(settings)?;
            let key = sessions::keys::rotate(&service.app)?;
            say_line!("The new signing key {key} is published now and signs in ten minutes.")?;
            service.close();
            Ok(())
        }
        Command::Keys(KeysCommand::Reseal) => {
            let service = Service::open(settings)?;
            let resealed = sessions::keys::reseal(&service.app)?;
            say_line!(
                "{resealed} secrets were sealed anew; every secret is sealed with the first encryption key."
            )?;
            service.close();
            Ok(())
        }
        Command::Backup(command) => backup(&settings, &command),
        Command::Restore(command) => restore(&settings, &command),
        Command::Verify { expect } => check_records(&Service::open(settings)?, expect),
        Command::Jobs(JobsCommand::Run { job }) => {
            let service = Service::open(settings)?;
            let done = match job {
                JobName::DailyRefresh => daily_refresh(&service),
                other => service.engine(&Registry::new()).and_then(|engine| engine.run_now(other)).map(drop),
            };
            service.close();
            done
        }
        Command::Health => health(&settings),
    }
}

/// The settings of the demo, which is on a database of its own unless the settings name another database.
fn settings_of_demo(mut settings: Settings) -> Result<Settings> {
    if !settings.listen.ip().is_loopback() {
        let detail = "LISTEN: the demo's passwords are known to everybody; it listens on loopback only";
        return Err(Error::internal(detail));
    }
    if settings.uses_the_default_database() {
        settings.database_url = Target::Sqlite("data/demo.db".into());
    }
    settings.log_mails = true;
    settings.database_kind = DatabaseKind::Sandbox;
    Ok(settings)
}

/// The demo's service, filled at the first start.
fn open_demo(settings: Settings) -> Result<Service> {
    let now = settings.clock.now();
    let clock = Clock::standing_at(demo::begins(now.date()));
    // Notices of the demo's past are sent to nobody.
    let past = Settings { clock: clock.clone(), smtp_url: None, log_mails: false, ..settings.clone() };
    let past = Service::open(past)?;
    demo::fill(&past.app, &clock, now)?;
    past.close();
    let service = Service::open(settings)?;
    // The signing key was made on the story's first day.
    sessions::keys::rotate_if_due(&service.app)?;
    Ok(service)
}

/// Takes the address to listen on before anything is opened: tokens and mails name the address that the service really has.
fn take_address(settings: &mut Settings) -> Result<Doorway> {
    let asked = settings.listen;
    let doorway = Doorway::at(asked).map_err(|error| cannot_listen(asked, &error))?;
    settings.listen = doorway.address().map_err(Error::internal)?;
    Ok(doorway)
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::internal(format!("LISTEN: {address} cannot be listened on: {error}"))
}

/// Serves until SIGTERM or SIGINT, then answers the running requests and copies SQLite's log into its file. `introduce`
/// makes the lines to print last, when everything that can fail has succeeded: they may hold a password that is shown once.
fn serve(
    service: &Service,
    doorway: Doorway,
    introduce: impl FnOnce(&str) -> Result<String> + Send + 'static,
) -> Result<()> {
    let address = service.settings.listen;
    service.refuse_to_listen(address)?;
    let listener = doorway.open().map_err(|error| cannot_listen(address, &error))?;
    let served = actix_web::rt::System::new().block_on(async {
        // The signal handlers stand before the first request: a signal must never end the process at once.
        let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
        let serving = app::listen(service.clone(), listener).map_err(Error::internal)?;
        let handle = serving.handle();
        let (stopper, drain) = (serving.stopper().map_err(Error::internal)?, service.settings.drain());
        let introduced = actix_web::web::block(move || {
            let lines = introduce(&address.to_string())?;
            writeln!(std::io::stdout(), "{lines}Swagger UI: http://{address}/docs/").map_err(|error| {
                Error::internal(format!(
                    "standard output cannot be written: {error}; where it was to show a password, make another operator: \
                     partner-incentives user create --role operator --email ADDRESS --name NAME"
                ))
            })
        });
        if let Err(error) = introduced.await.map_err(Error::internal).and_then(std::convert::identity) {
            // The order is given at once; the server carries it out while it is awaited.
            drop(handle.stop(false));
            serving.until_stopped().await.map_err(Error::internal)?;
            return Err(error);
        }
        actix_web::rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            log::info!("stopping: no longer ready, then no new connections, then the end");
            stopper.stop(drain).await;
        });
        serving.until_stopped().await.map_err(Error::internal)
    });
    service.close();
    served
}

/// Asks the running service over a plain socket, because the container image has no HTTP client.
fn health(settings: &Settings) -> Result<()> {
    use std::io::Read;
    let away =
        |error: std::io::Error| Error::internal(format!("{} does not answer: {error}", settings.listen));
    let mut address = settings.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let mut socket = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2)).map_err(away)?;
    socket.set_read_timeout(Some(Duration::from_secs(3))).map_err(away)?;
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).map_err(away)?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).map_err(away)?;
    let ready = answer.starts_with("HTTP/1.1 200");
    if ready { Ok(()) } else { Err(Error::internal("the service is not ready")) }
}
