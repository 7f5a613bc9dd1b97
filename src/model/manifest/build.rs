//! Building the tree of a document from the events of the YAML parser.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag, options};

use super::field_list::Field;
use super::mapping::{Key, PartialMapping};
use super::node_id::NodeId;
use super::open::{Open, Partial, open_item, path_of_innermost};
use super::path::shorten;
use super::position::Position;
use super::problem::Problem;
use super::problem_list::ProblemList;
use super::scalar::{key_text, resolve};
use super::split::Document;
use super::tree::{Tree, Value};
use crate::model::truncate::{MAX_MESSAGE_LEN, truncate};

/// Maximum number of nodes into which the aliases of a document expand, merge keys included.
const MAX_EXPANDED: usize = 100_000;

/// Maximum depth of a document. Objects have far fewer levels; the limit protects the recursive
/// code that reads the tree from a stack overflow.
pub(super) const MAX_DEPTH: usize = 128;

/// Result of parsing a document.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    /// The tree; after a `failure`, the part before it.
    pub(super) tree: Tree<'a>,
    /// Errors that leave the rest of the document readable.
    pub(super) problems: Vec<Problem>,
    pub(super) failure: Option<Failure>,
}

/// Error at which parsing stopped.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) position: Position,
    pub(super) message: String,
    /// The object that contains the error, as far as it was parsed.
    pub(super) object: Option<NodeId>,
}

/// Parses a document.
pub(super) fn parse<'a>(document: &Document<'a>) -> Parsed<'a> {
    let mut builder = Builder::new(*document);
    let failure = builder.read_events().err().map(|(position, message)| {
        let object = builder.close_unfinished();
        Failure { position, message, object }
    });
    Parsed { tree: builder.tree, problems: builder.problems.finish(), failure }
}

struct Builder<'a> {
    document: Document<'a>,
    tree: Tree<'a>,
    /// The lists and mappings that contain the current position, the outermost first.
    open: Vec<Open<'a>>,
    anchors: HashMap<usize, Anchored>,
    expanded: usize,
    problems: ProblemList,
}

/// A complete node.
#[derive(Clone, Copy)]
struct Node {
    id: NodeId,
    size: usize,
    is_alias: bool,
}

/// The node of an anchor.
#[derive(Clone, Copy)]
struct Anchored {
    id: NodeId,
    size: usize,
}

/// Position and message of an error at which parsing stops.
type Fatal = (Position, String);

impl<'a> Builder<'a> {
    fn new(document: Document<'a>) -> Self {
        Self {
            document,
            tree: Tree::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
            expanded: 0,
            problems: ProblemList::default(),
        }
    }

    fn read_events(&mut self) -> Result<(), Fatal> {
        let options = options! {
            block_nesting_limit: MAX_DEPTH + 1,
            block_scalar_eof_without_line_feed: true,
            emit_comments: false,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH + 1,
        };
        for event in Parser::new_from_str_with_options(self.document.text, options) {
            let (event, span) = event.map_err(|error| self.syntax_error(&error))?;
            self.read_event(event, span)?;
        }
        Ok(())
    }

    fn read_event(&mut self, event: Event<'a>, span: Span) -> Result<(), Fatal> {
        let position = self.position(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.add_scalar(position, text, style, anchor, tag.as_deref())?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(position, anchor, Partial::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(position, anchor, Partial::Mapping(PartialMapping::default()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => self.add_alias(position, anchor, &span)?,
            Event::UnresolvedAlias(name) => {
                let message = format!(
                    "no anchor &{name} precedes the alias *{name}; add one, or write a text in quotes"
                );
                self.add_problem(position, "", message);
                self.add_node(position, Value::Null, 0)?;
            }
            Event::DocumentStart(..) if !self.tree.is_empty() => {
                return Err((
                    position,
                    "a second document begins here; separate documents by ---".to_owned(),
                ));
            }
            _ => {}
        }
        Ok(())
    }

    fn add_scalar(
        &mut self,
        position: Position,
        text: Cow<'a, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Fatal> {
        let is_plain = style == ScalarStyle::Plain;
        let is_key = self.expects_key();
        if is_key && is_plain && tag.is_none() && text == "<<" {
            self.set_key(Key::Merge(position));
            return Ok(());
        }
        let value = resolve(text, is_plain, tag).unwrap_or_else(|message| {
            self.add_problem(position, "", message);
            Value::Null
        });
        if !is_key {
            return self.add_node(position, value, anchor);
        }
        match key_text(&value) {
            Some(name) => self.set_key(Key::Field(name, position)),
            None => {
                let message =
                    "null cannot be a key; write a text, in quotes if it is empty or null";
                self.add_problem(position, "", message.to_owned());
                self.set_key(Key::Invalid);
            }
        }
        if anchor != 0 {
            let id = self.tree.add(position, value);
            self.anchors.insert(anchor, Anchored { id, size: 1 });
        }
        Ok(())
    }

    fn begin(
        &mut self,
        position: Position,
        anchor: usize,
        content: Partial<'a>,
    ) -> Result<(), Fatal> {
        if self.open.len() >= MAX_DEPTH {
            return Err((position, too_deep()));
        }
        let node = self.tree.add(position, Value::Null);
        self.open.push(Open { node, anchor, size: 1, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fatal> {
        let Some(Open { node, anchor, size, content }) = self.open.pop() else { return Ok(()) };
        self.tree.set(node, content.into_value());
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { id: node, size });
        }
        self.complete(Node { id: node, size, is_alias: false })
    }

    fn add_node(
        &mut self,
        position: Position,
        value: Value<'a>,
        anchor: usize,
    ) -> Result<(), Fatal> {
        let id = self.tree.add(position, value);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { id, size: 1 });
        }
        self.complete(Node { id, size: 1, is_alias: false })
    }

    fn add_alias(&mut self, position: Position, anchor: usize, span: &Span) -> Result<(), Fatal> {
        let Some(Anchored { id, size }) = self.anchors.get(&anchor).copied() else {
            let alias = span.slice(self.document.text).unwrap_or("*");
            let message =
                format!("the alias {alias} is inside the node that it refers to; remove it");
            return Err((position, message));
        };
        self.expand(position, size)?;
        self.complete(Node { id, size, is_alias: true })
    }

    /// Counts nodes into which an alias or a merge key expands.
    fn expand(&mut self, position: Position, nodes: usize) -> Result<(), Fatal> {
        self.expanded = self.expanded.saturating_add(nodes);
        if self.expanded > MAX_EXPANDED {
            let message = format!(
                "the aliases and merge keys of the document expand to more than {MAX_EXPANDED} nodes; use fewer of them"
            );
            return Err((position, message));
        }
        Ok(())
    }

    /// Adds a complete node to the list or mapping that contains it.
    fn complete(&mut self, node: Node) -> Result<(), Fatal> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        open.size = open.size.saturating_add(node.size);
        let mapping = match &mut open.content {
            Partial::List(items) => {
                items.push(node.id);
                return Ok(());
            }
            Partial::Mapping(mapping) => mapping,
        };
        match mapping.take_key() {
            Some(Key::Field(key, position)) => {
                let field = Field { key, position, value: node.id };
                let name = field.key.clone();
                if let Err(first) = mapping.insert(field) {
                    let message = format!(
                        "is already set in line {}, column {}; remove one of the two",
                        first.line(),
                        first.column()
                    );
                    self.add_problem(position, &name, message);
                }
            }
            Some(Key::Merge(position)) => self.merge(position, node)?,
            Some(Key::Invalid) => {}
            None => self.set_key_node(node),
        }
        Ok(())
    }

    /// Uses a list, a mapping or an alias as the next key.
    fn set_key_node(&mut self, node: Node) {
        let position = self.tree.position(node.id);
        let key = key_text(self.tree.value(node.id)).map(|name| Key::Field(name, position));
        if key.is_none() {
            let message =
                "a list or a mapping cannot be a key; if the file is a template, render it first";
            self.add_problem(position, "", message.to_owned());
        }
        self.set_key(key.unwrap_or(Key::Invalid));
    }

    /// Adds the fields of the mappings that a merge key refers to.
    fn merge(&mut self, position: Position, node: Node) -> Result<(), Fatal> {
        let sources = match self.tree.value(node.id) {
            Value::Mapping(_) => Some(vec![node.id]),
            Value::List(items) if !node.is_alias => Some(items.clone()),
            _ => None,
        };
        let is_mapping = |id: &NodeId| matches!(self.tree.value(*id), Value::Mapping(_));
        let Some(sources) = sources.filter(|sources| sources.iter().all(is_mapping)) else {
            let message = "must refer to a mapping or to a list of mappings".to_owned();
            self.add_problem(position, "<<", message);
            return Ok(());
        };
        // An alias is counted already. Merge keys inside each other copy the same fields often.
        if !node.is_alias {
            let fields = sources.iter().map(|source| self.tree.fields(*source).len()).sum();
            self.expand(position, fields)?;
        }
        let Some(Open { content: Partial::Mapping(mapping), .. }) = self.open.last_mut() else {
            return Ok(());
        };
        mapping.begin_merge();
        let mut conflicts = Vec::new();
        for field in sources.iter().flat_map(|source| self.tree.fields(*source)) {
            if let Err(first) = mapping.merge(field) {
                conflicts.push((field.key.clone(), first));
            }
        }
        for (key, first) in conflicts {
            let message = format!(
                "is set in line {}, column {} before the merge key <<, which sets it again; write << first, or remove one of the two",
                first.line(),
                first.column()
            );
            self.add_problem(position, &key, message);
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        match self.open.last().map(|open| &open.content) {
            Some(Partial::Mapping(mapping)) => mapping.expects_key(),
            Some(Partial::List(_)) | None => false,
        }
    }

    fn set_key(&mut self, key: Key<'a>) {
        if let Some(Open { content: Partial::Mapping(mapping), .. }) = self.open.last_mut() {
            mapping.set_key(key);
        }
    }

    /// Adds an error in the innermost open list or mapping.
    fn add_problem(&mut self, position: Position, field: &str, mut message: String) {
        if !self.problems.has_space(open_item(&self.open), position) {
            return;
        }
        truncate(&mut message, MAX_MESSAGE_LEN);
        let mut parent = path_of_innermost(&self.open);
        truncate(&mut parent, MAX_MESSAGE_LEN);
        self.problems.add(Problem {
            position,
            parent,
            field: shorten(field).into_owned(),
            message,
        });
    }

    /// Closes the lists and mappings that are open after an error. Returns the innermost one that
    /// may be an object: the root, or an item of its list `items`.
    fn close_unfinished(&mut self) -> Option<NodeId> {
        let open = std::mem::take(&mut self.open);
        let is_item = |open: &Open<'_>| matches!(open.content, Partial::Mapping(_));
        let is_items = open_item(&open).is_some() && open.get(2).is_some_and(is_item);
        let object = open.get(if is_items { 2 } else { 0 }).map(|open| open.node);
        for Open { node, content, .. } in open {
            self.tree.set(node, content.into_value());
        }
        object
    }

    fn syntax_error(&self, error: &ScanError) -> Fatal {
        let position = self.position(error.marker());
        let message = match error.kind() {
            granit_parser::ErrorKind::RecursionLimitExceeded => too_deep(),
            _ => format!("cannot be parsed as YAML or JSON: {}", error.info()),
        };
        (position, message)
    }

    fn position(&self, mark: &granit_parser::Marker) -> Position {
        self.document.position(mark.line(), mark.col() + 1)
    }
}

pub(super) fn too_deep() -> String {
    format!("is nested more than {MAX_DEPTH} levels deep; use fewer levels")
}
