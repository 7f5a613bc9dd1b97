//! Translates manifests without opening a port: prints every object with its status, and the plan
//! that a gateway would run.
//!
//! `cargo run --example translate -- examples/tcp-routing`

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use lexopt::prelude::*;
use sluicegate::model::StatusReport;
use sluicegate::model::{GatewayController, Object};
use sluicegate::plan::Plan;
use sluicegate::sources::FileSource;
use sluicegate::translate::{Assignments, Settings, translate};

const HELP: &str = "\
Translates Gateway API manifests without opening a port.

Usage: translate [OPTIONS] PATH...

  PATH...  Files, or directories of *.yaml, *.yml and *.json files (without
           subdirectories). Supported kinds: GatewayClass, Gateway, TCPRoute,
           ReferenceGrant, Service, EndpointSlice and Namespace. Other kinds
           are ignored.

Standard output: a stream of YAML documents. First the objects, sorted by kind
and name; each GatewayClass, Gateway and TCPRoute has the status that it gets if
every port can be opened. The last document is the plan.

Standard error: invalid documents, as file:line:column: object: field: message,
and a note on each object without a status. The other objects are translated.

Options:
      --controller-name NAME   Serve only GatewayClasses of this controller,
                               such as example.com/gateway. Default: all.
  -h, --help                   Print this help.

Exit status:
  0  all documents are valid, with any conditions
  1  a document is invalid
  2  the command line is invalid, or a path cannot be read
";

fn main() -> ExitCode {
    let result = match parse() {
        Ok(Some(command)) => command.run(),
        Ok(None) => print(HELP).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Err(error) => Err(format!("{error}\nRun with --help for the options.").into()),
    };
    result.unwrap_or_else(|error| {
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        eprintln!("translate: {error}{source}");
        ExitCode::from(2)
    })
}

struct Command {
    files: FileSource,
    settings: Settings,
}

/// Parses the command line; returns `None` if it asks for the help text.
fn parse() -> Result<Option<Command>, lexopt::Error> {
    let mut paths = Vec::<PathBuf>::new();
    let mut settings = Settings::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("controller-name") => {
                let name: GatewayController = parser.value()?.parse()?;
                settings = settings.with_controller(name);
            }
            Short('h') | Long("help") => return Ok(None),
            Value(path) => paths.push(path.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    if paths.is_empty() {
        return Err("no PATH given; expected files or directories of manifests".into());
    }
    Ok(Some(Command { files: FileSource::new(paths), settings }))
}

impl Command {
    fn run(self) -> Result<ExitCode, Box<dyn std::error::Error + Send + Sync>> {
        let manifests = self.files.read()?;
        for problem in &manifests.problems {
            eprintln!("{problem}");
        }
        let translation = translate(&manifests.resources, &self.settings, &Assignments::default());
        for (object, reason) in &translation.unmanaged {
            eprintln!("note: {object} gets no status: {reason}");
        }
        for (object, reference) in &translation.unserved {
            let (group, kind) = (&object.group, &object.kind);
            eprintln!(
                "note: {object} has no effect on {reference}: kind {kind} of group {group} is not served"
            );
        }
        let mut stream = String::new();
        for object in manifests.resources.objects() {
            stream += "---\n";
            stream += &serde_saphyr::to_string(&with_status(object, &translation.status))?;
        }
        stream += "---\n";
        stream += &plan_document(&translation.plan)?;
        print(&stream)?;
        Ok(if manifests.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Returns the object with its status from the report, or unchanged if the report has none.
fn with_status(object: Object, report: &StatusReport) -> Object {
    match object {
        Object::GatewayClass(mut class) => {
            if let Some(status) = report.gateway_classes.get(&class.metadata.name) {
                Arc::make_mut(&mut class).status = Some(status.clone());
            }
            Object::GatewayClass(class)
        }
        Object::Gateway(mut gateway) => {
            if let Some(status) = report.gateways.get(&gateway.metadata.namespaced_name()) {
                Arc::make_mut(&mut gateway).status = Some(status.clone());
            }
            Object::Gateway(gateway)
        }
        Object::TcpRoute(mut route) => {
            if let Some(status) = report.tcp_routes.get(&route.metadata.namespaced_name()) {
                Arc::make_mut(&mut route).status = Some(status.clone());
            }
            Object::TcpRoute(route)
        }
        other => other,
    }
}

/// Returns the plan as YAML without tags, which many parsers do not support.
fn plan_document(plan: &Plan) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut document = Vec::new();
    let mut serializer = serde_yaml::Serializer::new(&mut document);
    serde_yaml::with::singleton_map_recursive::serialize(plan, &mut serializer)?;
    Ok(String::from_utf8(document)?)
}

/// Writes to standard output. A reader that closes the pipe early, such as `head`, is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
