//! [NGINX](https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html) with its stream module.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{MOST_CONNECTIONS, Proxy, Route};

fn configuration(routes: &[Route], folder: &Path, module: Option<&Path>) -> String {
    let mut text = String::new();
    if let Some(module) = module {
        let _ = writeln!(text, "load_module {};", module.display());
    }
    let _ = write!(
        text,
        "\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;

events {{
    worker_connections {both_sides};
}}

stream {{
    tcp_nodelay on;
    proxy_connect_timeout 10s;
    proxy_timeout 1h;
",
        folder = folder.display(),
        // One for the client and one for the backend, and the listeners.
        both_sides = 2 * MOST_CONNECTIONS + 16,
    );
    for Route { listen, connect, .. } in routes {
        let _ = write!(
            text,
            "
    server {{
        listen 127.0.0.1:{listen};
        proxy_pass 127.0.0.1:{connect};
    }}
"
        );
    }
    text.push_str("}\n");
    text
}

struct Nginx {
    program: PathBuf,
    /// Where the stream module is a file of its own.
    module: Option<PathBuf>,
}

pub(super) fn find() -> Option<Box<dyn Proxy>> {
    let program = super::installed("nginx")?;
    let printed = Command::new(&program).arg("-V").output().ok()?.stderr;
    let printed = String::from_utf8_lossy(&printed);
    let mut options = printed.split_whitespace();
    if options.clone().any(|option| option == "--with-stream") {
        return Some(Box::new(Nginx { program, module: None }));
    }
    let folder = options.find_map(|option| option.strip_prefix("--modules-path="))?;
    let module = Path::new(folder).join("ngx_stream_module.so");
    module.is_file().then(|| Box::new(Nginx { program, module: Some(module) }) as Box<dyn Proxy>)
}

impl Proxy for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn version(&self) -> String {
        super::version(&self.program, "-v")
    }

    fn command(&self, routes: &[Route], folder: &Path) -> io::Result<Option<Command>> {
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(routes, folder, self.module.as_deref()))?;
        let mut command = Command::new(&self.program);
        // The log of before the configuration is read goes to standard error.
        command.arg("-e").arg("stderr").arg("-c").arg(file);
        Ok(Some(command))
    }
}
