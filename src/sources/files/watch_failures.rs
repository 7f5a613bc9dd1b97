//! Directories that cannot be watched, and their log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::ErrorKind;

/// The reasons for which some or all directories are not watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WatchFailures {
    /// Error of the operating system if it provides no inotify instance.
    instance: Option<String>,
    /// The first directory beyond the limit of watches.
    beyond_limit: Option<PathBuf>,
    /// Directories that cannot be watched for another reason, such as missing permissions.
    others: BTreeMap<PathBuf, String>,
}

impl WatchFailures {
    /// Adds the error of a watcher that could not be created.
    pub(super) fn add_instance(&mut self, error: &notify::Error) {
        self.instance = Some(reason(error));
    }

    /// Adds the error of a directory that cannot be watched.
    pub(super) fn add_directory(&mut self, directory: &Path, error: &notify::Error) {
        match error.kind {
            // The directory was removed after the path was traced, which is an event of its parent.
            ErrorKind::PathNotFound => {}
            ErrorKind::MaxFilesWatch => {
                self.beyond_limit.get_or_insert_with(|| directory.to_owned());
            }
            _ => _ = self.others.insert(directory.to_owned(), reason(error)),
        }
    }

    /// Logs the failures that differ from the previous ones, and their consequence.
    pub(super) fn log_changes(&self, previous: &Self, poll_interval: Option<Duration>) {
        let consequence = match poll_interval {
            Some(interval) => {
                format!("changes there are found by polling every {} s", interval.as_secs_f64())
            }
            None => "changes there are not noticed, because polling is off: send SIGHUP to read \
                     the files again, or set a poll interval"
                .to_owned(),
        };
        if self.instance.is_some() && self.instance != previous.instance {
            let error = self.instance.as_deref();
            tracing::warn!(
                error,
                "cannot watch the files; {consequence}. Raise fs.inotify.max_user_instances, or the \
                 limit of open files"
            );
        }
        if let Some(directory) = &self.beyond_limit
            && previous.beyond_limit.is_none()
        {
            tracing::warn!(
                "cannot watch all directories (the first one without a watch is {}); {consequence}. \
                 Raise fs.inotify.max_user_watches",
                directory.display()
            );
        }
        let added = self.others.iter().filter(|(path, _)| !previous.others.contains_key(*path));
        let count = added.clone().count();
        if let Some((directory, error)) = added.clone().next() {
            tracing::warn!(
                error,
                "cannot watch {}{}; {consequence}",
                directory.display(),
                if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
            );
        }
        if *self == Self::default() && *previous != Self::default() {
            tracing::info!("all directories of the files are watched again");
        }
    }
}

/// Returns the error of the operating system.
fn reason(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}
