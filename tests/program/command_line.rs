//! Options, environment variables and the help text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::process::program;

/// Arguments, environment, and a part of the expected error.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn command_line_error_contains_remedy() {
    let both = "cannot be used together";
    let files = ["run", "--files", "nowhere"];
    let cases: &[Case<'_>] = &[
        (&["run"], &[], "give --kubernetes, --files PATH..., or --api"),
        (&["run", "--api", "--files", "x"], &[], both),
        (&files, &[("SLUICEGATE_API", "true")], both),
        (&[files[0], files[1], files[2], "--data", "x"], &[], "--data (SLUICEGATE_DATA) requires"),
        (&["run", "--api", "--poll", "1"], &[], "remove it to read objects from --api"),
        (&["run", "--api", "--api-listen", "6080"], &[], "expected an IP address and a port"),
        (&["run", "--api", "--api-certificate", "x"], &[], "requires --api-key FILE"),
        (&["run", "--api", "--api-key", "x"], &[], "requires --api-certificate FILE"),
        (&["run", "--api", "--lease", "a/b"], &[], "requires --kubernetes"),
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
        (&[files[0], files[1], files[2], "--dial-timeout", "20"], &[], "must not exceed"),
        (
            &files,
            &[("SLUICEGATE_LEASE", "a/b")],
            "--lease (SLUICEGATE_LEASE) requires --kubernetes",
        ),
        (
            &["run", "--kubernetes", "--read-only", "--lease", "edge/edge"],
            &[],
            "takes part in no election",
        ),
        (&["run", "--kubernetes", "--lease", "edge"], &[], "as in default/web"),
        (&["run", "--kubernetes", "--identity", ""], &[], "--identity"),
        (&["run", "--kubernetes", "--controller-name", "x"], &[], "--controller-name"),
        (
            &files,
            &[("SLUICEGATE_ADDRESSES", "service")],
            "--addresses service (SLUICEGATE_ADDRESSES) requires --kubernetes",
        ),
        (&files, &[("SLUICEGATE_ADDRESSES", "10.0.0.9-10.0.0.1")], "--addresses"),
        (&files, &[("SLUICEGATE_ADDRESSES", "0.0.0.0/0")], "without the unspecified address"),
        (&["run", "--kubernetes", "--addresses", "service"], &[], "requires --service-namespace"),
        (
            &["run", "--kubernetes", "--service-namespace", "a"],
            &[],
            "--service-namespace requires --service-selector",
        ),
        (
            &["run", "--kubernetes", "--service-selector", "a=b"],
            &[],
            "requires --service-namespace",
        ),
        (
            &files,
            &[("SLUICEGATE_SERVICE_NAMESPACE", "a")],
            "--service-namespace (SLUICEGATE_SERVICE_NAMESPACE) requires --kubernetes",
        ),
        (
            &["run", "--kubernetes", "--addresses", "service/a"],
            &[],
            "the namespace is an option, --service-namespace",
        ),
        (
            &["run", "--kubernetes", "--pod-addresses", "10.0.0.1"],
            &[],
            "--pod-addresses (SLUICEGATE_POD_ADDRESSES) requires --addresses service",
        ),
        (
            &["run", "--kubernetes", "--service-type", "ExternalName"],
            &[],
            "LoadBalancer, ClusterIP or NodePort",
        ),
        (&["run", "--files", "x", "--poll", "1e19"], &[], "at most a year (8760h)"),
        (
            &["run", "--files", "x"],
            &[("SLUICEGATE_STOP_DELAY", "99999999999999h")],
            "at most a year (8760h)",
        ),
        (
            &["run", "--kubernetes", "--service-annotations", "a=b,c"],
            &[],
            "expected KEY=VALUE, found `c`",
        ),
    ];
    for (arguments, environment, expected) in cases {
        let error = error(arguments, environment);
        assert!(error.contains(expected), "{arguments:?} {environment:?}: {error}");
    }
}

/// For each option an invalid value and a valid one, which the error contains as an example.
/// The value of `None` is that of an option without a value.
const OPTIONS: [(&str, Option<&str>, &str); 38] = [
    ("--kubernetes", None, "true"),
    ("--files", Some(""), "/etc/sluicegate"),
    ("--poll", Some("often"), "0.5"),
    ("--api", None, "true"),
    ("--data", Some(""), "/etc/sluicegate"),
    ("--api-listen", Some("6080"), "localhost:8081"),
    ("--api-host", Some("https://gateway"), "gateway.example.com"),
    ("--api-certificate", Some(""), "/etc/sluicegate"),
    ("--api-key", Some(""), "/etc/sluicegate"),
    ("--tokens", Some(""), "/etc/sluicegate"),
    ("--allow-local-endpoints", None, "true"),
    ("--controller-name", Some("x"), "example.com/gateway"),
    ("--watch-namespaces", Some("Team A"), "team-a"),
    ("--read-only", None, "true"),
    ("--lease", Some("Edge/x/y"), "sluicegate/sluicegate"),
    ("--identity", Some(""), "sluicegate-0"),
    ("--addresses", Some("hots"), "10.0.0.0/28"),
    ("--service-namespace", Some("Gateway/x"), "sluicegate-system"),
    ("--service-selector", Some("sluicegate"), "app.kubernetes.io/name=sluicegate"),
    ("--pod-addresses", Some("10.0.0.1,gateway-0"), "192.0.2.10"),
    ("--service-type", Some("ExternalName"), "LoadBalancer"),
    ("--service-annotations", Some("pool"), "example.com/pool=public"),
    ("--external-traffic-policy", Some("local"), "Local"),
    ("--bind", Some("127.0.0.1:80"), "2001:db8::10"),
    ("--advertise", Some("gateway.example.com"), "192.0.2.10"),
    ("--special-addresses", Some("loopback"), "127.0.0.0/8"),
    ("--listeners-per-namespace", Some("0"), "100"),
    ("--workers", Some("0"), "4"),
    ("--dial-timeout", Some("0"), "0.5"),
    ("--dial-budget", Some("-1"), "3s"),
    ("--health", Some("gateway:8081"), ":8081"),
    ("--health", Some("8081"), "localhost:8081"),
    ("--stop-delay", Some("soon"), "30s"),
    ("--drain-timeout", Some("1m30s"), "0.5"),
    ("--log-format", Some("xml"), "json"),
    ("--connection-log", Some("some"), "failures"),
    ("--connection-log-limit", Some("-1"), "1000"),
    ("--log-level", Some("warn,sluicegate=chatty"), "warn,sluicegate::sources=debug"),
];

/// The options for which only an empty value is invalid.
const ANY_TEXT: [&str; 5] = ["--identity", "--data", "--api-certificate", "--api-key", "--tokens"];

#[test]
fn invalid_value_is_answered_with_an_example() {
    let help = print(&["run", "--help"]);
    for flag in flags(&help) {
        assert!(OPTIONS.iter().any(|(name, ..)| *name == flag), "add {flag} to the test");
    }
    for (flag, invalid, example) in OPTIONS {
        let variable = variable(flag);
        let given = format!("{flag}={}", invalid.unwrap_or_default());
        if invalid.is_some() {
            let error = error(&["run", &given], &[]);
            assert!(error.contains(flag) && error.contains(example), "{given}: {error}");
            assert!(!error.contains(&variable), "{given}: {error}");
        }
        // An empty variable counts as unset.
        let invalid = invalid.filter(|value| !value.is_empty()).unwrap_or("a,,b");
        if !ANY_TEXT.contains(&flag) {
            let error = error(&["run"], &[(&variable, invalid)]);
            assert!(error.contains(&format!("environment variable {variable} ({flag}")), "{error}");
            assert!(error.contains(example), "{variable}={invalid}: {error}");
        }
        let conflict = "cannot be used together";
        let both =
            [(&*variable, example), ("SLUICEGATE_KUBERNETES", "true"), ("SLUICEGATE_FILES", "x")];
        let error = error(&["run"], &both);
        assert!(error.contains(conflict), "{flag} refuses its example {example}: {error}");
    }
}

#[test]
fn empty_environment_variable_counts_as_unset() {
    let help = print(&["run", "--help"]);
    let variables: Vec<_> = flags(&help).map(variable).collect();
    let empty: Vec<_> = variables.iter().map(|variable| (&**variable, "")).collect();
    assert!(error(&["run"], &empty).contains("give --kubernetes, --files PATH..., or --api"));
    let error = error(&["run", "--kubernetes", "--files", "x"], &empty);
    assert!(error.contains("cannot be used together"), "{error}");
    // The help text lists them nevertheless.
    let output = program().args(["run", "--help"]).envs(empty).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), help);
}

#[test]
fn values_other_than_paths_must_be_utf8() {
    let invalid = OsStr::from_bytes(b"\xff");
    for (variable, expected) in [
        ("SLUICEGATE_POLL", "environment variable SLUICEGATE_POLL is not valid UTF-8"),
        ("SLUICEGATE_FILES", "cannot be used together"),
    ] {
        let arguments = ["run", "--kubernetes"];
        let output = program().args(arguments).env(variable, invalid).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

fn print(arguments: &[&str]) -> String {
    let output = program().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the error of an invalid command line.
fn error(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = program().args(arguments).envs(environment.iter().copied()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?} {environment:?}: {error}");
    error
}

/// Returns the options that the help text lists.
fn flags(help: &str) -> impl Iterator<Item = &str> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with("--"));
    lines.map(|line| line.split([' ', '.']).next().unwrap())
}

fn variable(flag: &str) -> String {
    format!("SLUICEGATE_{}", flag[2..].replace('-', "_").to_uppercase())
}

#[test]
fn help_lists_environment_variable_of_each_option() {
    assert_eq!(print(&["--version"]), format!("sluicegate {}\n", env!("CARGO_PKG_VERSION")));
    let help = print(&["run", "--help"]);
    for flag in flags(&help) {
        let variable = variable(flag);
        assert!(help.contains(&format!("[env: {variable}=")), "{flag} has no {variable}:\n{help}");
    }
}
