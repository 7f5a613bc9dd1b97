//! Checks of the files of `src`: reachability, contents of `mod.rs`, length and names.

use std::collections::BTreeSet;
use std::path::Path;

use crate::crates::Crate;
use crate::expect_none;
use crate::sources::Sources;
use crate::tokens::{self, Kind, Token};

const MOST_LINES: usize = 400;

/// Words that say nothing of what a file or type is for.
const VAGUE: [&str; 10] = [
    "manager",
    "handler",
    "helper",
    "util",
    "processor",
    "data",
    "info",
    "common",
    "misc",
    "types",
];

/// Returns the roots of the crates in `src`: the library and the programs.
pub(crate) fn roots(sources: &Sources) -> Vec<String> {
    let is_root = |path: &&Path| {
        let in_bin = path.strip_prefix("src/bin").is_ok_and(|rest| {
            rest.components().count() == 1
                || rest.ends_with("main.rs") && rest.components().count() == 2
        });
        in_bin || [Path::new("src/lib.rs"), Path::new("src/main.rs")].contains(path)
    };
    let roots = sources.iter().map(|(path, _)| path).filter(is_root);
    roots.map(|path| path.to_str().unwrap().to_owned()).collect()
}

fn orphans(sources: &Sources, roots: &[String]) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut problems = Vec::new();
    for root in roots {
        let read = Crate::read(sources, root);
        problems.extend(read.missing.iter().map(|one| format!("{one}: no file for it was found")));
        reached.extend(read.modules.into_iter().map(|module| module.file));
    }
    let orphans = sources.iter().filter(|(path, _)| !reached.contains(*path));
    problems.extend(orphans.map(|(path, _)| {
        format!(
            "{}: no `mod` declares it, so it is never compiled; declare or delete it",
            path.display()
        )
    }));
    problems
}

/// Returns the items of a `mod.rs` other than `mod`, `pub use` and those of tests.
fn definitions(path: &Path, text: &str) -> Vec<String> {
    let (tokens, _) = tokens::split(text);
    let mut problems = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some(first) = rest.first() {
        let (attributes, item) = split_attributes(rest);
        let end = end_of_item(item);
        let is_inner = rest.get(1).is_some_and(|token| token.is("!"));
        let is_test = attributes
            .windows(2)
            .any(|pair| pair[0].is("(") && (pair[1].is("test") || pair[1].is("doctest")));
        if first.is("#") && is_inner {
            rest = item;
            continue;
        }
        let (is_public, declared) = without_visibility(&item[..end]);
        let word = declared.first();
        let is_allowed = is_test
            || word.is_none_or(|word| word.is(";"))
            || word.is_some_and(|word| word.is("mod"))
                && !declared.iter().any(|token| token.is("{"))
            || is_public && word.is_some_and(|word| word.is("use"));
        if let (false, Some(word)) = (is_allowed, word) {
            let item: Vec<_> = declared.iter().take(4).map(|token| token.text.as_str()).collect();
            problems.push(format!(
                "{}:{}: `{} …`; a mod.rs contains documentation, `mod` and `pub use` only. Move the \
                 item to a file that is named for it",
                path.display(),
                word.line,
                item.join(" ")
            ));
        }
        rest = &item[end..];
    }
    problems
}

fn split_attributes(tokens: &[Token]) -> (&[Token], &[Token]) {
    let mut end = 0;
    while tokens.get(end).is_some_and(|token| token.is("#")) {
        let is_inner = tokens.get(end + 1).is_some_and(|token| token.is("!"));
        end += closing(&tokens[end..]) + 1;
        if is_inner {
            break;
        }
    }
    tokens.split_at(end.min(tokens.len()))
}

/// Returns the position of the bracket that closes the first one.
fn closing(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Mark) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 1 => return index,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Returns the length of an item: up to `;`, or up to the `}` of its block.
fn end_of_item(tokens: &[Token]) -> usize {
    let is_use = tokens.iter().take_while(|token| !token.is("{")).any(|token| token.is("use"));
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        if token.is(";") {
            return index + 1;
        }
        if token.is("{") || token.is("(") || token.is("[") {
            let is_block = token.is("{");
            index += closing(&tokens[index..]);
            if is_block && !is_use {
                return (index + 1).min(tokens.len());
            }
        }
        index += 1;
    }
    tokens.len()
}

fn without_visibility(item: &[Token]) -> (bool, &[Token]) {
    match item {
        [first, next, ..] if first.is("pub") && next.is("(") => {
            (true, &item[(closing(item) + 1).min(item.len())..])
        }
        [first, rest @ ..] if first.is("pub") => (true, rest),
        _ => (false, item),
    }
}

fn grandparents(path: &Path, text: &str) -> Vec<String> {
    let (tokens, _) = tokens::split(text);
    let chains = tokens
        .windows(3)
        .filter(|three| three[0].is("super") && three[1].is("::") && three[2].is("super"));
    let lines: BTreeSet<_> = chains.map(|three| three[0].line).collect();
    let expected = "super::super; write crate::… for anything that is not a sibling";
    lines.iter().map(|line| format!("{}:{line}: {expected}", path.display())).collect()
}

fn vague_names(path: &Path, text: &str) -> Vec<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let (tokens, _) = tokens::split(text);
    let mut depth = 0;
    let types = tokens.windows(2).filter(|two| {
        depth += usize::from(two[0].is("{"));
        depth -= usize::from(two[0].is("}")).min(depth);
        // A trait gives its associated types their names.
        let is_named_here = !two[0].is("type") || depth == 0;
        is_named_here && ["struct", "enum", "trait", "type"].iter().any(|word| two[0].is(word))
    });
    let types = types.map(|two| (two[1].line, two[1].text.as_str()));
    let names = types.chain([(1, stem)]);
    names
        .filter(|(_, name)| {
            words(name).iter().any(|word| VAGUE.contains(&word.trim_end_matches('s')))
        })
        .map(|(line, name)| {
            format!(
                "{}:{line}: the name {name} is vague; name what it does or holds",
                path.display()
            )
        })
        .collect()
}

/// Splits `snake_case` and `CamelCase`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c != '_', words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

fn in_each(check: impl Fn(&Path, &str) -> Vec<String>) -> Vec<String> {
    Sources::read("src").iter().flat_map(|(path, text)| check(path, text)).collect()
}

#[test]
fn src_has_no_orphan_files() {
    let sources = Sources::read("src");
    expect_none("src has files that no crate contains:", &orphans(&sources, &roots(&sources)));
}

#[test]
fn mod_rs_contains_no_definitions() {
    let found = in_each(|path, text| {
        let is_mod = path.ends_with("mod.rs") || path == Path::new("src/lib.rs");
        if is_mod { definitions(path, text) } else { Vec::new() }
    });
    expect_none("a mod.rs contains definitions:", &found);
}

#[test]
fn paths_have_no_super_super() {
    expect_none("src has super::super:", &in_each(grandparents));
}

#[test]
fn files_are_short() {
    let found = in_each(|path, text| {
        let lines = text.lines().count();
        let problem =
            format!("{}: {lines} lines; at most {MOST_LINES}. Split it by topic", path.display());
        if lines > MOST_LINES { vec![problem] } else { Vec::new() }
    });
    expect_none("src has long files:", &found);
}

#[test]
fn names_are_not_vague() {
    expect_none("src has vague names:", &in_each(vague_names));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orphan_file_is_found() {
        let sources = Sources::made_up(&[
            ("src/lib.rs", "mod a; #[cfg(test)] mod tests; mod gone;"),
            ("src/a/mod.rs", "#[cfg(test)] #[path = \"b_tests.rs\"] mod tests;"),
            ("src/a/b_tests.rs", ""),
            ("src/a/left.rs", ""),
            ("src/tests.rs", ""),
            ("src/bin/tool/main.rs", "mod part;"),
            ("src/bin/tool/part.rs", ""),
        ]);
        let found = orphans(&sources, &roots(&sources));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("src/lib.rs: mod gone"), "{}", found[0]);
        assert!(found[1].starts_with("src/a/left.rs: no `mod`"), "{}", found[1]);
    }

    #[test]
    fn definitions_in_mod_rs_are_found() {
        let text = "//! Docs.\n#![allow(x)]\nmod a;\n#[cfg(unix)]\npub mod b;\n\
            pub use self::{a::A, b::*};\npub(crate) use self::b::B;\n#[cfg(test)]\nmod tests;\n\
            #[cfg(test)]\nfn f() {}\nuse self::a::C;\n#[derive(Debug)]\npub struct D { e: [u8; 2] }\n\
            impl D { fn f() {} }\nconst G: u8 = 1;\nmod h { fn i() {} }";
        let found = definitions(Path::new("src/a/mod.rs"), text);
        let lines: Vec<_> = found.iter().map(|one| one.split(':').nth(1).unwrap()).collect();
        assert_eq!(lines, ["12", "14", "15", "16", "17"], "{found:?}");
    }

    #[test]
    fn super_super_is_found() {
        let found =
            grandparents(Path::new("a.rs"), "use super::b;\npub(in super::super) fn c() {}");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.rs:2:"), "{}", found[0]);
    }

    #[test]
    fn vague_names_are_whole_words() {
        let text = "struct Metadata; enum Database {} struct RouteInfo; type ObjectDatas = u8;";
        assert_eq!(vague_names(Path::new("a/utils.rs"), text).len(), 3);
    }

    #[test]
    fn associated_types_are_not_named_here() {
        let text = "impl Body for Empty { type Data = Bytes; }";
        assert!(vague_names(Path::new("a.rs"), text).is_empty());
        assert_eq!(vague_names(Path::new("a.rs"), &format!("{text} type Data = u8;")).len(), 1);
    }
}
