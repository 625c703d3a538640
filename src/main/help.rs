//! Help: a command explains its own options; the settings, which every command takes, stand in a list of their own.

use clap::{Args, Command, CommandFactory};
use partner_incentives::config::Settings;

/// The command line, in which settings are hidden from the help of each command, and `help settings` lists them.
pub fn with_settings_apart<C: CommandFactory>() -> Command {
    let hidden = C::command().mut_args(|argument| {
        let is_setting = argument.get_env().is_some();
        argument.hide(is_setting)
    });
    hidden.mut_subcommand("settings", |command| command.after_help(settings()))
}

/// Every setting with its flag, its environment variable and its default.
pub fn settings() -> String {
    let list = Settings::augment_args(Command::new("settings").disable_help_flag(true));
    let list = list.help_template("{options}").next_line_help(true);
    format!("{}\n", list.clone().render_long_help().to_string().trim_end())
}
