//! Checks that the observations of client, backend and proxy agree with each other and with the
//! script.

use std::net::SocketAddr;

use super::log::Ending;
use super::peer::{Account, Close};
use super::script::{Exit, Scene, Script};
use super::setup::OPENING;

/// The observations of a connection.
#[derive(Debug)]
pub struct Observations {
    pub client: Account,
    /// None where no backend met the client.
    pub backend: Option<(SocketAddr, Account)>,
    pub proxy: Ending,
}

/// # Errors
/// What does not fit.
pub fn verify(script: &Script, observed: &Observations) -> Result<(), String> {
    let Observations { client, backend, proxy } = observed;
    let scene = script.scene;
    let listener = if scene == Scene::Vanish { Scene::Talk } else { scene }.name();
    let listener_fits =
        proxy.listener.rsplit('/').next().is_some_and(|it| it.starts_with(listener));
    ensure(listener_fits, || format!("it was on {}", proxy.listener))?;
    let allowed = allowed(script);
    ensure(allowed.contains(&&*proxy.outcome), || {
        format!("it ended as {}, which is none of {allowed:?}", proxy.outcome)
    })?;

    let [client_opens, backend_opens] = match scene {
        Scene::Greet => [0, OPENING as u64],
        _ if scene.is_conversation() => [OPENING as u64, 0],
        _ => [0, 0],
    };
    let (said_up, said_down) = (script.client.total(), script.backend.total());
    let (client_close, backend_close) = (client.close, backend.map(|(_, backend)| backend.close));
    let closes = |client: &[Close], backend: &[Option<Close>]| {
        ensure(client.contains(&client_close) && backend.contains(&backend_close), || {
            format!("the client was {client_close:?}, the backend {backend_close:?}")
        })
    };
    let moved = |up: u64, down: u64| {
        ensure((proxy.bytes_up, proxy.bytes_down) == (up, down), || {
            format!("the proxy counted other bytes than {up} up and {down} down")
        })
    };
    let (ended, lost, left) = (Some(Close::Ended), Some(Close::Lost), Some(Close::Left));
    match &*proxy.outcome {
        "completed" if scene == Scene::Vanish => {
            closes(&[Close::Left], &[None])?;
            moved(0, 0)?;
        }
        "completed" => {
            closes(&[Close::Ended], &[ended])?;
            moved(said_up + client_opens, said_down + backend_opens)?;
        }
        "rejected" | "dial_failed: refused" | "dial_failed: timed_out" if scene != Scene::Slam => {
            closes(&[Close::Lost], &[None])?;
            moved(0, 0)?;
        }
        "downstream_reset" if scene.is_conversation() => closes(&[Close::Left], &[lost])?,
        "downstream_reset" => {
            closes(&[Close::Left], &[None])?;
            moved(0, 0)?;
        }
        "upstream_reset" if scene.is_conversation() => closes(&[Close::Lost], &[left])?,
        "upstream_reset" | "dial_failed: refused" => closes(&[Close::Lost], &[None])?,
        // Its last bytes may have been on their way when the time was over.
        "drained" => closes(&[Close::Lost, Close::Ended], &[None, lost, ended])?,
        other => return Err(format!("an outcome nobody knows: {other}")),
    }

    // Nobody hears what the proxy has not carried, and it carries nothing that was not sent.
    let (backend_sent, backend_heard) = backend.map_or((0, 0), |(_, backend)| {
        (backend.sent + backend_opens, backend.heard + client_opens)
    });
    let in_order = |heard: u64, carried: u64, sent: u64, way: &str| {
        ensure(heard <= carried && carried <= sent, || {
            format!("{way}: {sent} bytes were sent, {carried} carried, {heard} heard")
        })
    };
    in_order(backend_heard, proxy.bytes_up, client.sent + client_opens, "up")?;
    in_order(client.heard, proxy.bytes_down, backend_sent, "down")?;
    let whole = |account: &Account, says: u64, hears: u64| {
        account.close != Close::Ended || (account.sent, account.heard) == (says, hears)
    };
    let backend_whole = backend.is_none_or(|(_, backend)| whole(&backend, said_down, said_up));
    ensure(whole(client, said_up, said_down) && backend_whole, || {
        format!("an end came before all bytes were there: {said_up} up and {said_down} down")
    })?;
    match backend {
        Some((address, _)) => ensure(proxy.endpoint == Some(*address), || {
            format!("the proxy says it was at {:?}, the backend {address}", proxy.endpoint)
        }),
        None => Ok(()),
    }
}

/// How a connection may end.
fn allowed(script: &Script) -> &'static [&'static str] {
    match script.scene {
        Scene::Talk | Scene::Greet | Scene::Standby if script.client.resets() => {
            &["downstream_reset"]
        }
        Scene::Talk | Scene::Greet | Scene::Standby if script.backend.resets() => {
            &["upstream_reset"]
        }
        Scene::Talk | Scene::Greet | Scene::Standby => &["completed"],
        Scene::Mixed => &["completed", "rejected"],
        Scene::Passing => &["completed", "drained"],
        Scene::Refused => &["dial_failed: refused"],
        // So fast that it may look as if it had not taken the connection at all.
        Scene::Slam => &["upstream_reset", "dial_failed: refused"],
        Scene::Vanish if script.client.exit == Exit::Close => &["completed"],
        Scene::Silent if !script.client.resets() => &["dial_failed: timed_out"],
        Scene::Vanish | Scene::Silent => &["downstream_reset"],
    }
}

fn ensure(fits: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if fits { Ok(()) } else { Err(problem()) }
}
