//! The command line.

use clap::Parser;
use partner_incentives::{app, config::Settings, logging};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Cli { #[command(flatten)] settings: Settings }

fn main() {
    let cli = Cli::parse();
    logging::start(cli.settings.log_format, &cli.settings.log);
    let service = app::Service::open(cli.settings).unwrap();
    let listener = std::net::TcpListener::bind(service.settings.listen).unwrap();
    actix_web::rt::System::new().block_on(async move { app::listen(service, listener).unwrap().await.unwrap() });
}
