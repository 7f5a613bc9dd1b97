//! The folder of a server without `--data`.

use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::{Uid, geteuid};

use super::error::FolderError;
use super::private_folder::{create_private, is_private};

/// Name of the folder.
const NAME: &str = "sluicegate";

/// Places for the folder of a server without `--data`.
///
/// Any user can create folders in the folder for temporary files. A folder of another user, or a
/// link, is never used: a folder with a random name is created instead.
#[derive(Debug)]
pub(super) struct RuntimePlaces {
    /// Folder that only this user can write to.
    private: Option<PathBuf>,
    temporary: PathBuf,
    user: Uid,
}

impl RuntimePlaces {
    /// Returns the places of this process: `$XDG_RUNTIME_DIR` or, for root, `/run`; otherwise the
    /// folder for temporary files.
    pub(super) fn new() -> Self {
        let user = geteuid();
        let variable = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let run = user.is_root().then(|| PathBuf::from("/run"));
        Self::with_user(variable, run, env::temp_dir(), user)
    }

    /// Returns the places for a value of `XDG_RUNTIME_DIR`, which counts only if it is absolute.
    fn with_user(
        variable: Option<PathBuf>,
        run: Option<PathBuf>,
        temporary: PathBuf,
        user: Uid,
    ) -> Self {
        let is_writable = |path: &PathBuf| access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
        let variable = variable.filter(|path| path.is_absolute());
        Self { private: variable.or_else(|| run.filter(is_writable)), temporary, user }
    }

    /// Creates the folder with mode 0700, unless it exists, and returns its path.
    pub(super) fn create(&self) -> Result<PathBuf, FolderError> {
        let usual = self.usual_path();
        let path = match self.find_own() {
            Some(path) => path,
            None => match create_private(&usual) {
                Err(_) if self.is_foreign(&usual) => self.create_random()?,
                created => return created.map(|()| usual),
            },
        };
        if path != usual {
            tracing::warn!(
                folder = %path.display(),
                "another user has created the folder {}; using a folder of another name. Set \
                 XDG_RUNTIME_DIR or give --data to avoid this",
                usual.display()
            );
        }
        Ok(path)
    }

    /// Returns the path of the folder, which need not exist.
    pub(super) fn find(&self) -> PathBuf {
        self.find_own().unwrap_or_else(|| self.usual_path())
    }

    /// Finds the folder of this user.
    fn find_own(&self) -> Option<PathBuf> {
        let usual = self.usual_path();
        let is_own = fs::symlink_metadata(&usual).is_ok() && !self.is_foreign(&usual);
        if is_own { Some(usual) } else { self.find_random() }
    }

    fn usual_path(&self) -> PathBuf {
        match &self.private {
            Some(private) => private.join(NAME),
            None => self.temporary.join(self.prefix()),
        }
    }

    fn prefix(&self) -> String {
        format!("{NAME}-{}", self.user.as_raw())
    }

    /// Returns `true` if another user could create the path, and has done so.
    fn is_foreign(&self, path: &Path) -> bool {
        let owner = fs::symlink_metadata(path).map(|metadata| metadata.uid());
        self.private.is_none() && owner.is_ok_and(|owner| owner != self.user.as_raw())
    }

    /// Finds the folder with a random name that was changed last. Links are not followed.
    fn find_random(&self) -> Option<PathBuf> {
        if self.private.is_some() {
            return None;
        }
        let prefix = format!("{}-", self.prefix());
        let entries = fs::read_dir(&self.temporary).ok()?.flatten();
        let own = entries.filter_map(|entry| {
            let is_named = entry.file_name().to_str()?.starts_with(&prefix);
            // `DirEntry::metadata` does not follow links.
            let metadata = if is_named { entry.metadata().ok()? } else { return None };
            let is_own = is_private(&metadata, self.user.as_raw());
            Some((metadata.modified().ok()?, entry.path())).filter(|_| is_own)
        });
        own.max().map(|(_, path)| path)
    }

    fn create_random(&self) -> Result<PathBuf, FolderError> {
        let random = RandomState::new().hash_one(0);
        let path = self.temporary.join(format!("{}-{random:016x}", self.prefix()));
        // Fails if another user has created the path.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(FolderError::Folder { operation: "create", path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use tempfile::{TempDir, tempdir};

    use super::*;

    fn places(temporary: &TempDir, variable: Option<&str>, run: Option<&Path>) -> RuntimePlaces {
        RuntimePlaces::with_user(
            variable.map(PathBuf::from),
            run.map(Path::to_owned),
            temporary.path().to_owned(),
            geteuid(),
        )
    }

    #[test]
    fn variable_comes_before_run_and_the_temporary_folder() {
        let temporary = tempdir().unwrap();
        let run = tempdir().unwrap();
        let usual = temporary.path().join(format!("sluicegate-{}", geteuid().as_raw()));
        let missing = Path::new("/proc/self/missing");
        for (variable, run, expected) in [
            (Some("/run/user/1000"), Some(run.path()), Path::new("/run/user/1000/sluicegate")),
            (None, Some(run.path()), &run.path().join("sluicegate")),
            (Some("relative"), Some(run.path()), &run.path().join("sluicegate")),
            (Some(""), None, &usual),
            (None, Some(missing), &usual),
        ] {
            assert_eq!(places(&temporary, variable, run).find(), expected);
        }
    }

    #[test]
    fn folder_is_created_once() {
        let temporary = tempdir().unwrap();
        let places = places(&temporary, None, None);
        let path = places.create().unwrap();
        assert_eq!((places.create().unwrap(), places.find()), (path.clone(), path.clone()));
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, 0o700);
    }

    /// Another user can create the folder first, but neither provide the token nor prevent a start.
    #[test]
    fn folder_of_another_user_is_replaced_by_one_with_a_random_name() {
        if !geteuid().is_root() {
            return;
        }
        let temporary = tempdir().unwrap();
        let places = places(&temporary, None, None);
        let usual = places.find();
        let target = temporary.path().join("target");
        fs::create_dir(&target).unwrap();
        for kind in ["folder", "file", "link"] {
            match kind {
                "folder" => fs::create_dir(&usual).unwrap(),
                "file" => fs::write(&usual, "").unwrap(),
                _ => symlink(&target, &usual).unwrap(),
            }
            std::os::unix::fs::lchown(&usual, Some(54_321), None).unwrap();
            // Names that the other user guesses are not used either.
            let guessed = temporary.path().join(format!("{}-f", places.prefix()));
            fs::create_dir_all(&guessed).unwrap();
            chown(&guessed, Some(54_321), None).unwrap();
            let own = places.create().unwrap();
            assert!(own != usual && own != guessed && own != target, "{kind}");
            assert_eq!(fs::metadata(&own).unwrap().uid(), 0);
            assert_eq!((places.create().unwrap(), places.find()), (own.clone(), own));
            if kind == "folder" {
                fs::remove_dir(&usual).unwrap();
            } else {
                fs::remove_file(&usual).unwrap();
            }
        }
    }
}
