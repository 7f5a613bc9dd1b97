//! Links between the Markdown files lead to files and headings that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::expect_none;
use crate::sources::Sources;

/// The pages to check, and the folders that may contain more of them.
const PAGES: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
const FOLDERS: [&str; 4] = ["docs", "conformance", "benches/peers", "charts/sluicegate"];

/// Returns the line and target of each link to a file or heading of this repository.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let definition = line.strip_prefix('[').and_then(|line| line.split_once("]: "));
        let targets = inline.chain(definition.map(|(_, target)| target));
        let targets = targets.filter(|target| !target.contains("://"));
        found.extend(targets.map(|target| (number, target.to_owned())));
    }
    found
}

/// Returns the anchors of the headings, as GitHub derives them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    let anchor = |(_, line): (usize, &str)| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Returns the lines outside code blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((index + 1, line))
    })
}

/// Resolves `..` and `.` in a path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

fn broken(page: &Path, text: &str, read: impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for (line, target) in links(text) {
        let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let path = normal(&page.with_file_name("").join(file));
        let path = if file.is_empty() { page.to_owned() } else { path };
        let place = format!("{}:{line}: {target}", page.display());
        match read(&path) {
            None => {
                problems.push(format!("{place}; there is no {}. Update the link", path.display()))
            }
            Some(text) if !anchor.is_empty() && !anchors(&text).contains(anchor) => {
                problems.push(format!("{place}; {} has no heading for #{anchor}", path.display()))
            }
            Some(_) => {}
        }
    }
    problems
}

#[test]
fn links_of_pages_lead_somewhere() {
    let in_folders = FOLDERS.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let in_folders = in_folders.map(|entry| entry.unwrap().path());
    let pages = PAGES.iter().map(PathBuf::from).chain(in_folders);
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut problems = Vec::new();
    for page in pages {
        let read = |path: &Path| {
            let text = path.exists().then(|| fs::read_to_string(path).unwrap_or_default());
            text.or_else(|| (path == Path::new("")).then(String::new))
        };
        problems.extend(broken(&page, &fs::read_to_string(&page).unwrap(), read));
    }
    expect_none("a page has broken links:", &problems);
}

/// The code map names files of `src`, `tests` and `benches` by their last parts.
#[test]
fn files_in_the_code_map_exist() {
    let page = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let files: Vec<_> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| Sources::read(folder).0.into_keys())
        .collect();
    let mut problems = Vec::new();
    for (line, text) in prose(&page) {
        let names = text.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs"));
        let missing = names.filter(|name| {
            let name = name.rsplit('*').next().unwrap_or_default();
            !files.iter().any(|file| file.ends_with(name) || name.starts_with(".rs"))
        });
        problems.extend(missing.map(|name| {
            format!("ARCHITECTURE.md:{line}: there is no file {name}. Update the code map")
        }));
    }
    expect_none("ARCHITECTURE.md is out of date:", &problems);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_file_and_heading_are_found() {
        let read = |path: &Path| {
            (path == Path::new("docs/b.md"))
                .then(|| "# One two, `three`\n```\n# No\n```".to_owned())
        };
        let text = "[a](b.md) [b](b.md#one-two-three) [c](https://d.example)\n\
            [e](b.md#no)\n[f]: ../docs/g.md\n```\n[h](i.md)\n```\n";
        let found = broken(Path::new("docs/a.md"), text, read);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("docs/a.md:2: b.md#no; docs/b.md has no"), "{}", found[0]);
        assert!(found[1].starts_with("docs/a.md:3: ../docs/g.md; there is no docs/g.md"));
    }
}
