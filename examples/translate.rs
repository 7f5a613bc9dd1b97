//! What would come of manifests, without opening a socket: every object with the status it would
//! get, and the plan that a gateway would run.
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
Shows what would come of Gateway API manifests, without opening a socket.

Usage: translate [OPTIONS] PATH...

  PATH...  Files, or directories of *.yaml, *.yml and *.json (one level deep),
           with GatewayClass, Gateway, TCPRoute, ReferenceGrant, Service,
           EndpointSlice and Namespace. Other kinds are passed over.

Prints a stream of YAML documents: the objects, by kind and name, each
GatewayClass, Gateway and TCPRoute with the status it would get if every port
could be opened; then the compiled plan, as the last document.

What is wrong with the manifests goes to the standard error, as
file:line:column: object: field: message; the other objects are translated all
the same. So does a note on each object that gets no status here.

Options:
      --controller-name NAME   Serve only the GatewayClasses of this controller,
                               such as example.com/gateway. Default: all.
  -h, --help                   Print this.

Exit status: 0, whatever the conditions say; 1 if a manifest is wrong; 2 if the
command line is, or a path cannot be read.
";

fn main() -> ExitCode {
    let outcome = match parse() {
        Ok(Some(task)) => task.run(),
        Ok(None) => print(HELP).map(|()| ExitCode::SUCCESS).map_err(Into::into),
        Err(error) => Err(format!("{error}\nTry --help.").into()),
    };
    outcome.unwrap_or_else(|error| {
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        eprintln!("translate: {error}{source}");
        ExitCode::from(2)
    })
}

struct Task {
    files: FileSource,
    settings: Settings,
}

/// The task, or none where only help is asked for.
fn parse() -> Result<Option<Task>, lexopt::Error> {
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
        return Err("no PATH is given; name files or directories of manifests".into());
    }
    Ok(Some(Task { files: FileSource::new(paths), settings }))
}

impl Task {
    fn run(self) -> Result<ExitCode, Box<dyn std::error::Error + Send + Sync>> {
        let manifests = self.files.read()?;
        for problem in &manifests.problems {
            eprintln!("{problem}");
        }
        let translation = translate(&manifests.resources, &self.settings, &Assignments::default());
        for (object, why) in &translation.unmanaged {
            eprintln!("note: {object} is left alone: {why}");
        }
        let mut stream = String::new();
        for object in manifests.resources.objects() {
            stream += "---\n";
            stream += &serde_yaml::to_string(&with_status(object, &translation.status))?;
        }
        stream += "---\n";
        stream += &plan_document(&translation.plan)?;
        print(&stream)?;
        Ok(if manifests.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The object with the status it would get; as it is, where it would get none.
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

/// With plain mappings where YAML would have tags, which many readers do not know.
fn plan_document(plan: &Plan) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut document = Vec::new();
    let mut serializer = serde_yaml::Serializer::new(&mut document);
    serde_yaml::with::singleton_map_recursive::serialize(plan, &mut serializer)?;
    Ok(String::from_utf8(document)?)
}

/// A reader that has seen enough, such as `head`, is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
