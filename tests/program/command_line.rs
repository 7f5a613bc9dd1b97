//! Options, environment variables and the help text.

use crate::process::program;

/// Arguments, environment, and a part of the expected error.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn command_line_error_contains_remedy() {
    let both = "cannot be used together";
    let files = ["run", "--files", "nowhere"];
    let cases: &[Case<'_>] = &[
        (&["run"], &[], "give --kubernetes, or --files"),
        (&["run", "--kubernetes", "--files", "x"], &[], both),
        (&files, &[("SLUICEGATE_KUBERNETES", "true")], both),
        (&["run", "--kubernetes"], &[("SLUICEGATE_FILES", "a,b")], both),
        (&["run", "--fils", "x"], &[], "'--files'"),
        (&["walk"], &[], "unrecognized subcommand"),
        (&files, &[("SLUICEGATE_WORKERS", "0")], "expected a number of threads, 1 or more"),
        (&files, &[("SLUICEGATE_STOP_DELAY", "soon")], "a number of seconds, 0 or more"),
        (&files, &[("SLUICEGATE_DRAIN_TIMEOUT", "-1")], "such as 30 or 0.5"),
        (&files, &[("SLUICEGATE_POLL", "often")], "a number of seconds, 0 or more"),
        (&["run", "--kubernetes", "--poll", "1"], &[], "--poll (SLUICEGATE_POLL) requires --files"),
        (&files, &[("SLUICEGATE_LOG_LEVEL", "chatty")], "error, warn, info, debug, trace"),
        (&files, &[("SLUICEGATE_LOG_FORMAT", "xml")], "text, json"),
        (&files, &[("SLUICEGATE_CONNECTION_LOG", "some")], "expected all, failures or off"),
        (&files, &[("SLUICEGATE_CONNECTION_LOG_LIMIT", "-1")], "a number of lines a second"),
        (&files, &[("SLUICEGATE_HEALTH", "8081")], "such as 127.0.0.1:8081"),
        (&files, &[("SLUICEGATE_LEASE", "a/b")], "--lease requires --kubernetes"),
        (&["run", "--kubernetes", "--lease", "edge"], &[], "as in default/web"),
        (&["run", "--kubernetes", "--identity", ""], &[], "--identity"),
        (&["run", "--kubernetes", "--controller-name", "x"], &[], "--controller-name"),
        (
            &files,
            &[("SLUICEGATE_ADDRESSES", "service")],
            "--addresses service requires --kubernetes",
        ),
        (&files, &[("SLUICEGATE_ADDRESSES", "10.0.0.9-10.0.0.1")], "--addresses"),
        (&["run", "--kubernetes", "--addresses", "service"], &[], "requires --replicas"),
        (
            &["run", "--kubernetes", "--replicas", "a/b"],
            &[],
            "--replicas requires --addresses service",
        ),
        (
            &["run", "--kubernetes", "--service-type", "ExternalName"],
            &[],
            "LoadBalancer, ClusterIP or NodePort",
        ),
        (
            &["run", "--kubernetes", "--service-annotations", "a=b,c"],
            &[],
            "expected KEY=VALUE, found `c`",
        ),
    ];
    for (arguments, environment, expected) in cases {
        let output = program().args(*arguments).envs(environment.iter().copied()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {environment:?}: {error}");
        assert!(error.contains(expected), "{arguments:?} {environment:?}: {error}");
    }
}

#[test]
fn help_lists_environment_variable_of_each_option() {
    let print = |arguments: &[&str]| {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(print(&["--version"]), format!("sluicegate {}\n", env!("CARGO_PKG_VERSION")));
    let help = print(&["run", "--help"]);
    for line in help.lines().filter(|line| line.trim_start().starts_with("--")) {
        let flag = line.trim_start().split([' ', '.']).next().unwrap();
        let variable = format!("SLUICEGATE_{}", flag[2..].replace('-', "_").to_uppercase());
        assert!(help.contains(&format!("[env: {variable}=")), "{flag} has no {variable}:\n{help}");
    }
}
