//! Parsing of the command line and the environment variables.

use std::env;
use std::ffi::OsString;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _, ValueHint};

use super::options::Cli;

impl Cli {
    /// Parses the arguments and environment variables of the process.
    ///
    /// An empty variable counts as unset: a template or a shell can leave out an option with it.
    ///
    /// # Errors
    /// Returns an error about the first invalid value. It contains the name of the environment
    /// variable that has the value. The help text is an error too.
    pub(crate) fn from_process() -> Result<Self, clap::Error> {
        let arguments: Vec<_> = env::args_os().collect();
        let command = without_empty_variables(Self::command());
        let matches = command.try_get_matches_from(&arguments);
        matches.and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| {
            match error.kind() {
                // The help text lists all variables, also the empty ones.
                ErrorKind::DisplayHelp => {
                    Self::command().try_get_matches_from(&arguments).err().unwrap_or(error)
                }
                _ => name_variable(error, &arguments),
            }
        })
    }
}

/// Removes the environment variables that are empty from the options of all subcommands.
fn without_empty_variables(command: Command) -> Command {
    command.mut_subcommands(|command| {
        command.mut_args(|argument| match variable(&argument).and_then(env::var_os) {
            Some(value) if value.is_empty() => argument.env(Resettable::Reset),
            _ => argument,
        })
    })
}

/// Adds the name of the environment variable to an error about its value.
fn name_variable(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    if error.kind() == ErrorKind::InvalidUtf8 {
        return find_invalid_utf8().unwrap_or(error);
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    // Such as `--files <PATH>...`.
    let flag = argument.split([' ', '=', '.']).next().unwrap_or_default();
    let is_given = |given: &OsString| {
        let rest = given.to_str().and_then(|given| given.strip_prefix(flag));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    // The variable is used only if the option is not given.
    if arguments.iter().any(is_given) {
        return error;
    }
    let command = Cli::command();
    let mut options = command.get_subcommands().flat_map(Command::get_arguments);
    let option = options.find(|option| option.get_long() == flag.strip_prefix("--"));
    if let Some(variable) = option.and_then(variable) {
        let argument = format!("environment variable {} ({argument})", variable.display());
        error.insert(ContextKind::InvalidArg, ContextValue::String(argument));
    }
    error
}

/// Returns an error about the first environment variable that must be UTF-8 and is not.
fn find_invalid_utf8() -> Option<clap::Error> {
    let mut command = Cli::command();
    let options = command.get_subcommands().flat_map(Command::get_arguments);
    let text_options = options.filter(|option| option.get_value_hint() != ValueHint::AnyPath);
    let is_invalid =
        |name: &OsString| env::var_os(name).is_some_and(|value| value.to_str().is_none());
    let name = text_options.filter_map(variable).find(is_invalid)?;
    let message = format!("environment variable {} is not valid UTF-8", name.display());
    Some(command.error(ErrorKind::InvalidUtf8, message))
}

fn variable(argument: &Arg) -> Option<OsString> {
    argument.get_env().map(ToOwned::to_owned)
}
