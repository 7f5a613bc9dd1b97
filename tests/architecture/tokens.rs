//! Splits Rust source into tokens and comments.

/// Properties of a token that the checks use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword.
    Word,
    /// A string literal; its text is the contents.
    Text,
    /// A number, a character or a lifetime; its text is empty.
    Other,
    /// One character, or `::`.
    Mark,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// One line of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) line: usize,
    /// Without the slashes and the space after them.
    pub(crate) text: String,
    pub(crate) is_doc: bool,
    /// `true` if code precedes the comment in its line.
    pub(crate) is_trailing: bool,
}

pub(crate) fn split(source: &str) -> (Vec<Token>, Vec<Comment>) {
    let mut lexer = Lexer { rest: source, line: 1, tokens: Vec::new(), comments: Vec::new() };
    while !lexer.rest.is_empty() {
        lexer.step();
    }
    (lexer.tokens, lexer.comments)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl<'a> Lexer<'a> {
    fn step(&mut self) {
        let rest = self.rest;
        let first = rest.chars().next().unwrap_or_default();
        if first.is_whitespace() {
            self.advance(first.len_utf8());
        } else if rest.starts_with("//") {
            let text = self.advance(rest.find('\n').unwrap_or(rest.len()));
            let is_doc =
                text.starts_with("//!") || text.starts_with("///") && !text.starts_with("////");
            self.comment(self.line, &text[if is_doc { 3 } else { 2 }..], is_doc);
        } else if rest.starts_with("/*") {
            self.block_comment();
        } else if let Some(length) = raw_string(rest) {
            let open = rest.find('"').unwrap_or_default();
            let hashes = rest[..open].matches('#').count();
            self.token(Kind::Text, &rest[open + 1..length - 1 - hashes], length);
        } else if first == '"' || ["b\"", "c\""].iter().any(|open| rest.starts_with(open)) {
            let open = rest.find('"').unwrap_or_default() + 1;
            let length = open + closing_quote(&rest[open..]);
            self.token(Kind::Text, &rest[open..length], length + 1);
        } else if first == '\'' || rest.starts_with("b'") {
            let length = character_or_lifetime(rest);
            self.token(Kind::Other, "", length);
        } else if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            self.token(Kind::Other, "", length.unwrap_or(rest.len()));
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let length = length.unwrap_or(rest.len());
            self.token(Kind::Word, &rest[..length], length);
        } else {
            let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
            self.token(Kind::Mark, &rest[..length], length);
        }
    }

    fn advance(&mut self, length: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(length);
        self.line += text.matches('\n').count();
        self.rest = rest;
        text
    }

    fn token(&mut self, kind: Kind, text: &str, length: usize) {
        self.tokens.push(Token { kind, text: text.to_owned(), line: self.line });
        self.advance(length);
    }

    fn comment(&mut self, line: usize, text: &str, is_doc: bool) {
        let is_trailing = self.tokens.last().is_some_and(|token| token.line == line);
        let text = text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned();
        self.comments.push(Comment { line, text, is_doc, is_trailing });
    }

    /// Reads a block comment; block comments nest.
    fn block_comment(&mut self) {
        let (mut depth, mut length) = (1, 2);
        while depth > 0 && length < self.rest.len() {
            let rest = &self.rest.as_bytes()[length..];
            let step = if rest.starts_with(b"/*") || rest.starts_with(b"*/") { 2 } else { 1 };
            depth += usize::from(rest.starts_with(b"/*"));
            depth -= usize::from(rest.starts_with(b"*/"));
            length += step;
        }
        let first = self.line;
        let text = self.advance(length);
        let is_doc = text.starts_with("/*!") || text.starts_with("/**") && text.len() > 5;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches(['/', '*', '!']).trim_end_matches(['*', '/']);
            self.comment(first + index, line, is_doc);
        }
    }
}

/// Returns the length of the raw string that `rest` begins with.
fn raw_string(rest: &str) -> Option<usize> {
    let after = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = after.find(|c| c != '#')?;
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close)?;
    Some(rest.len() - body.len() + end + close.len())
}

/// Returns the position of the quote that ends a string.
fn closing_quote(body: &str) -> usize {
    let mut escaped = false;
    for (index, c) in body.char_indices() {
        match c {
            '"' if !escaped => return index,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    panic!("a string literal does not end: {}", &body[..body.len().min(40)]);
}

fn character_or_lifetime(rest: &str) -> usize {
    let open = rest.find('\'').unwrap_or_default() + 1;
    let body = &rest[open..];
    if body.starts_with('\\') {
        let skipped = 2; // The backslash and the character after it, which may be a quote.
        return open + skipped + body[skipped..].find('\'').map_or(0, |end| end + 1);
    }
    let first = body.chars().next().map_or(0, char::len_utf8);
    if body[first..].starts_with('\'') {
        return open + first + 1;
    }
    open + body.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        let (tokens, _) = split(source);
        tokens
            .into_iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn tokens_exclude_comments_and_strings() {
        let source =
            "a /* b /* c */ d */ \"e \\\" f\" r#\"g \" h\"# 'i' '\\'' b'j' <'k> 1.5 // l\nm";
        assert_eq!(words(source), ["a", "m"]);
    }

    #[test]
    fn tokens_carry_lines() {
        let (tokens, _) = split("a\n\"b\nc\"\nd");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 2, 4]);
    }

    #[test]
    fn comments_are_doc_or_other_and_own_or_trailing() {
        let (_, comments) =
            split("//! one\n/// two\nlet x; // three\n//// four\n/* five\n * six */");
        let seen: Vec<_> = comments
            .iter()
            .map(|one| (one.line, one.text.trim(), one.is_doc, one.is_trailing))
            .collect();
        assert_eq!(
            seen,
            [
                (1, "one", true, false),
                (2, "two", true, false),
                (3, "three", false, true),
                (4, "// four", false, false),
                (5, "five", false, false),
                (6, "six", false, false),
            ]
        );
    }
}
