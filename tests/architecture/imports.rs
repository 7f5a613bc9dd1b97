//! Finds what a file declares (modules, items) and what it imports (`use` trees, inline paths).

use crate::tokens::{Kind, Token};

/// The inline modules around a declaration, outermost first.
pub(crate) type Scope = Vec<String>;

#[derive(Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) modules: Vec<ModuleDeclaration>,
    pub(crate) items: Vec<(Scope, String)>,
    pub(crate) uses: Vec<Use>,
    pub(crate) paths: Vec<InlinePath>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug)]
pub(crate) struct ModuleDeclaration {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) is_inline: bool,
    pub(crate) is_test: bool,
    /// Values of its `path` attributes.
    pub(crate) files: Vec<String>,
}

/// One path of a `use` declaration.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) scope: Scope,
    pub(crate) path: Vec<String>,
    /// The name that it brings into scope; `None` for a glob.
    pub(crate) name: Option<String>,
    pub(crate) is_public: bool,
    pub(crate) is_test: bool,
    pub(crate) line: usize,
}

/// A path of two or more segments outside `use`.
#[derive(Debug)]
pub(crate) struct InlinePath {
    pub(crate) scope: Scope,
    pub(crate) path: Vec<String>,
    pub(crate) is_test: bool,
    pub(crate) line: usize,
}

/// Reads the tokens of a file.
pub(crate) fn read(tokens: &[Token]) -> Declarations {
    let mut reader = Reader { tokens, at: 0, found: Declarations::default(), attributes: vec![] };
    reader.items(&mut Scope::new(), false);
    reader.found
}

/// Words that are followed by the name of an item.
const ITEMS: [&str; 9] =
    ["fn", "struct", "enum", "trait", "type", "union", "const", "static", "macro_rules"];

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Declarations,
    /// Start and end of the attributes of the item that follows.
    attributes: Vec<(usize, usize)>,
}

impl Reader<'_> {
    /// Reads the items of a module, up to its closing brace or the end of the file.
    fn items(&mut self, scope: &mut Scope, is_test: bool) {
        let mut depth = 0;
        let mut is_public = false;
        // The end of the item under a test attribute that is being read.
        let mut test_until = 0;
        while let Some(token) = self.tokens.get(self.at) {
            let is_test = is_test || self.at < test_until;
            if token.is("#") && (self.is_at(1, "[") || self.is_at(1, "!") && self.is_at(2, "[")) {
                let is_inner = self.is_at(1, "!");
                let end = self.attribute(scope, is_test);
                if !is_inner && is_test_attribute(&self.tokens[self.at..end]) {
                    test_until = test_until.max(self.end_of_item(end));
                }
                if !is_inner {
                    self.attributes.push((self.at, end));
                }
                self.at = end;
                continue;
            }
            match token.text.as_str() {
                "}" if token.kind == Kind::Mark && depth == 0 => return,
                "{" if token.kind == Kind::Mark => depth += 1,
                "}" if token.kind == Kind::Mark => depth -= 1,
                "pub" if token.kind == Kind::Word => {
                    is_public = true;
                    if self.is_at(1, "(") {
                        self.at = self.closing(self.at + 1);
                    }
                    self.at += 1;
                    continue;
                }
                "mod" if token.kind == Kind::Word => {
                    self.module(scope, is_test);
                    is_public = false;
                    continue;
                }
                "use" if token.kind == Kind::Word && !self.is_at(1, "<") => {
                    self.at += 1;
                    self.use_tree(scope, &[], is_public, is_test);
                    (is_public, _) = (false, self.attributes.clear());
                    continue;
                }
                _ if token.kind == Kind::Word && self.is_path_start() => {
                    self.inline_path(scope, is_test);
                    continue;
                }
                word if depth == 0 && token.kind == Kind::Word && ITEMS.contains(&word) => {
                    let name = self.at + if word == "macro_rules" { 2 } else { 1 };
                    let name = self.tokens.get(name).filter(|name| name.kind == Kind::Word);
                    if let (Some(name), false) = (name, is_test) {
                        self.found.items.push((scope.clone(), name.text.clone()));
                    }
                }
                _ => {}
            }
            if token.kind == Kind::Mark && matches!(token.text.as_str(), ";" | "}" | ",") {
                (is_public, _) = (false, self.attributes.clear());
            }
            self.at += 1;
        }
    }

    fn is_at(&self, offset: usize, text: &str) -> bool {
        self.tokens.get(self.at + offset).is_some_and(|token| token.is(text))
    }

    /// Returns the position of the bracket that closes the one at `open`.
    fn closing(&self, open: usize) -> usize {
        let mut depth = 0;
        for (index, token) in self.tokens.iter().enumerate().skip(open) {
            match token.text.as_str() {
                "(" | "[" | "{" if token.kind == Kind::Mark => depth += 1,
                ")" | "]" | "}" if token.kind == Kind::Mark => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return index;
            }
        }
        self.tokens.len()
    }

    /// Records the paths in an attribute, in its string literals too (serde's `with`, `default`).
    fn attribute(&mut self, scope: &Scope, is_test: bool) -> usize {
        let start = self.at;
        let open = if self.is_at(1, "[") { start + 1 } else { start + 2 };
        let end = (self.closing(open) + 1).min(self.tokens.len());
        for index in open..end {
            let token = &self.tokens[index];
            if token.kind == Kind::Text && token.text.contains("::") {
                let path: Vec<_> = token.text.split("::").map(str::to_owned).collect();
                let is_path = |word: &String| word.chars().all(|c| c.is_alphanumeric() || c == '_');
                if path.iter().all(is_path) {
                    let scope = scope.clone();
                    self.found.paths.push(InlinePath { scope, path, is_test, line: token.line });
                }
            }
            self.at = index;
            if token.kind == Kind::Word && self.is_path_start() {
                self.inline_path(scope, is_test);
            }
        }
        self.at = start;
        end
    }

    /// Returns the end of the item that starts at `from`, after more attributes if there are any.
    fn end_of_item(&self, mut from: usize) -> usize {
        while self.tokens.get(from).is_some_and(|token| token.is("#")) {
            from = self.closing(from + 1) + 1;
        }
        let item = ["pub", "mod", "use", "impl", "unsafe", "async", "extern", "let"];
        let is_item = |token: &Token| {
            token.kind == Kind::Word
                && (item.contains(&token.text.as_str()) || ITEMS.contains(&token.text.as_str()))
        };
        let starts_item = self.tokens.get(from).is_some_and(is_item);
        let mut index = from;
        while let Some(token) = self.tokens.get(index) {
            match token.text.as_str() {
                "(" | "[" if token.kind == Kind::Mark => index = self.closing(index),
                "{" if token.kind == Kind::Mark => return self.closing(index) + 1,
                ";" if token.kind == Kind::Mark => return index + 1,
                "," if token.kind == Kind::Mark && !starts_item => return index + 1,
                "}" if token.kind == Kind::Mark => return index,
                _ => {}
            }
            index += 1;
        }
        index
    }

    fn module(&mut self, scope: &mut Scope, is_test: bool) {
        let name = self.tokens[self.at + 1].text.clone();
        let is_inline = self.is_at(2, "{");
        let files = self.attributes.drain(..).filter_map(|(start, end)| {
            let tokens = &self.tokens[start..end];
            let path = tokens.iter().position(|token| token.is("path"))?;
            tokens.get(path + 2).filter(|token| token.kind == Kind::Text)
        });
        let files = files.map(|token| token.text.clone()).collect();
        let declaration = ModuleDeclaration {
            scope: scope.clone(),
            name: name.clone(),
            is_inline,
            is_test,
            files,
        };
        self.found.modules.push(declaration);
        self.at += 3;
        if is_inline {
            scope.push(name);
            self.items(scope, is_test);
            scope.pop();
            self.at += 1;
        }
    }

    /// Reads a `use` tree up to the `;`, `,` or `}` after it.
    fn use_tree(&mut self, scope: &Scope, prefix: &[String], is_public: bool, is_test: bool) {
        let mut path = prefix.to_vec();
        let line = self.tokens[self.at].line;
        let mut name = None;
        let mut is_glob = false;
        while let Some(token) = self.tokens.get(self.at) {
            match token.text.as_str() {
                "{" => {
                    self.at += 1;
                    while !self.is_at(0, "}") {
                        self.use_tree(scope, &path, is_public, is_test);
                        if self.is_at(0, ",") {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                ";" | "," | "}" => break,
                "*" => is_glob = true,
                "as" => {
                    self.at += 1;
                    name = Some(self.tokens[self.at].text.clone());
                }
                "self" if !path.is_empty() => {}
                _ if token.kind == Kind::Word => path.push(token.text.clone()),
                _ => {}
            }
            self.at += 1;
        }
        let name = if is_glob { None } else { name.or_else(|| path.last().cloned()) };
        self.found.uses.push(Use { scope: scope.clone(), path, name, is_public, is_test, line });
    }

    /// Returns `true` if a path of two or more segments starts here: not in the middle of one, and
    /// not at a method with type arguments (`.collect::<_>()`).
    fn is_path_start(&self) -> bool {
        let before = self.at.checked_sub(1).map(|before| &self.tokens[before]);
        let follows = |text| before.is_some_and(|token: &Token| token.is(text));
        let continues = self.tokens.get(self.at + 2).is_some_and(|token| token.kind == Kind::Word);
        self.is_at(1, "::") && continues && !follows("::") && !follows(".")
    }

    fn inline_path(&mut self, scope: &Scope, is_test: bool) {
        let line = self.tokens[self.at].line;
        let mut path = vec![self.tokens[self.at].text.clone()];
        self.at += 1;
        while self.is_at(0, "::") {
            let Some(next) = self.tokens.get(self.at + 1).filter(|next| next.kind == Kind::Word)
            else {
                break;
            };
            path.push(next.text.clone());
            self.at += 2;
        }
        self.found.paths.push(InlinePath { scope: scope.clone(), path, is_test, line });
    }
}

/// Returns `true` for `#[cfg(test)]`, `#[cfg(all(test, …))]` and `#[cfg(doctest)]`.
fn is_test_attribute(attribute: &[Token]) -> bool {
    let has = |word| attribute.iter().any(|token: &Token| token.is(word));
    attribute.get(2).is_some_and(|token| token.is("cfg"))
        && (has("test") || has("doctest"))
        && !has("not")
        && !has("any")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::split;

    fn declarations(source: &str) -> Declarations {
        read(&split(source).0)
    }

    fn uses(source: &str) -> Vec<(String, bool)> {
        let uses = declarations(source).uses;
        uses.iter().map(|one| (one.path.join("::"), one.is_test)).collect()
    }

    #[test]
    fn use_trees_are_unfolded() {
        let found = uses("use a::{b, c::{self, d as e}, f::*};");
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a::b", "a::c", "a::c::d", "a::f"]);
    }

    #[test]
    fn test_code_is_marked() {
        let found = uses(
            "use a::b; #[cfg(test)] use c::d; #[cfg(test)] mod tests { use e::f; } \
             #[cfg(not(test))] use g::h; #[cfg(test)] fn x<A, B>(i: [u8; 2]) { use i::j; } use k::l;",
        );
        let tests: Vec<_> =
            found.iter().filter(|(_, is_test)| *is_test).map(|one| &one.0).collect();
        assert_eq!(found.len(), 6);
        assert_eq!(tests, ["c::d", "e::f", "i::j"]);
    }

    #[test]
    fn inline_paths_exclude_methods_and_visibility() {
        let source =
            "pub(in crate::a) fn f() { x.collect::<Vec<_>>(); crate::b::c(); d::e::<f::G>() }";
        let paths: Vec<_> =
            declarations(source).paths.iter().map(|one| one.path.join("::")).collect();
        assert_eq!(paths, ["crate::b::c", "d::e", "f::G"]);
    }

    #[test]
    fn attribute_strings_contain_paths() {
        let source = "struct A { #[serde(default = \"crate::b::c\")] d: E }";
        assert_eq!(declarations(source).paths[0].path.join("::"), "crate::b::c");
    }

    #[test]
    fn modules_carry_scope_and_files() {
        let source = "mod a { mod b; } #[cfg_attr(not(unix), path = \"d.rs\")] mod c; pub mod e;";
        let found: Vec<_> = declarations(source)
            .modules
            .iter()
            .map(|one| (one.scope.join("::"), one.name.clone(), one.files.join(" ")))
            .collect();
        let expected = [("", "a", ""), ("a", "b", ""), ("", "c", "d.rs"), ("", "e", "")];
        assert_eq!(found, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }
}
