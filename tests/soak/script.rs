//! Script of one connection: what client and backend do, and how it must end. The script follows
//! from the seed and the client's number.

use std::time::Duration;

use fastrand::Rng;

use super::payload::Payload;

/// Where a client goes, and whom it meets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// A backend to which the client speaks first.
    Talk,
    /// A backend that speaks first.
    Greet,
    /// A backend that has three of four connections; the fourth is rejected.
    Mixed,
    /// Endpoints of which one refuses.
    Standby,
    /// A listener that comes and goes.
    Passing,
    /// Nobody listens at the only endpoint.
    Refused,
    /// The backend resets each connection at once.
    Slam,
    /// The only endpoint does not answer.
    Silent,
    /// The client is gone before it has said anything.
    Vanish,
}

impl Scene {
    pub const ALL: [Self; 9] = [
        Self::Talk,
        Self::Greet,
        Self::Mixed,
        Self::Standby,
        Self::Passing,
        Self::Refused,
        Self::Slam,
        Self::Silent,
        Self::Vanish,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Talk => "talk",
            Self::Greet => "greet",
            Self::Mixed => "mixed",
            Self::Standby => "standby",
            Self::Passing => "passing",
            Self::Refused => "refused",
            Self::Slam => "slam",
            Self::Silent => "silent",
            Self::Vanish => "vanish",
        }
    }

    /// Whether both ends speak, by their parts of the script.
    pub fn is_conversation(self) -> bool {
        matches!(self, Self::Talk | Self::Greet | Self::Mixed | Self::Standby | Self::Passing)
    }

    /// A few of each first, and then as often as befits it.
    fn of(number: u64, rng: &mut Rng) -> Self {
        const SHARES: [usize; 9] = [48, 12, 10, 8, 8, 3, 3, 3, 5];
        let weighted = || {
            let mut ticket = rng.usize(..SHARES.iter().sum::<usize>());
            let winner = SHARES.iter().position(|share| {
                let wins = ticket < *share;
                ticket = ticket.wrapping_sub(*share);
                wins
            });
            Self::ALL[winner.unwrap()]
        };
        let early = Self::ALL.iter().cycle().take(3 * Self::ALL.len()).nth(number as usize);
        early.copied().unwrap_or_else(weighted)
    }
}

/// How much there is to do.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// The most that is said in one go, but for bulk.
    pub largest: u64,
    /// The least and the most of a bulk.
    pub bulk: (u64, u64),
    /// The longest pause of a speaker; a listener's are ten times as long.
    pub pause: Duration,
    /// Of how many clients of an endpoint that does not answer one waits for the end of the dial.
    pub waits: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub number: u64,
    pub proxy: usize,
    pub scene: Scene,
    pub client: Part,
    pub backend: Part,
}

/// What one end does.
#[derive(Clone, Debug)]
pub struct Part {
    pub payload: Payload,
    pub begins: When,
    pub speech: Vec<Burst>,
    pub ends: When,
    /// The most it hears in one go.
    pub gulp: usize,
    /// Where it stops listening, and for how long.
    pub stalls: Vec<(u64, Duration)>,
    /// The system keeps little for it to read or to send.
    pub narrow: bool,
    pub exit: Exit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    AtOnce,
    AfterTheirEnd,
    Never,
}

/// Something said, after a pause, in pieces of at most `chunk` bytes.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    pub pause: Duration,
    pub bytes: u64,
    pub chunk: usize,
    /// Whether to wait until the other end has heard all of it: nothing may stay on the way for
    /// want of more.
    pub waits_for_receipt: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It stays until both have ended, or until it is cut off.
    Stay,
    /// It resets once it has said everything, and heard so much.
    Reset { heard: u64, pause: Duration },
    /// It closes at once.
    Close,
}

impl Part {
    pub fn total(&self) -> u64 {
        self.speech.iter().map(|burst| burst.bytes).sum()
    }

    pub fn resets(&self) -> bool {
        matches!(self.exit, Exit::Reset { .. })
    }

    fn new(rng: &mut Rng, measure: &Measure) -> Self {
        let speech = if rng.u8(..) < 24 { bulky(rng, measure) } else { plain(rng, measure) };
        Self {
            payload: Payload(rng.u64(..)),
            begins: When::AtOnce,
            speech,
            ends: When::AtOnce,
            gulp: log_uniform(rng, 512, 256 * 1024) as usize,
            stalls: Vec::new(),
            narrow: rng.u8(..6) == 0,
            exit: Exit::Stay,
        }
    }

    fn stalls(&mut self, rng: &mut Rng, due: u64, measure: &Measure) {
        if due > 0 && rng.u8(..4) == 0 {
            self.stalls = (0..rng.u8(1..=3))
                .map(|_| (rng.u64(..due), pause(rng, 10 * measure.pause)))
                .collect();
            self.stalls.sort();
        }
    }
}

impl Script {
    pub fn new(seed: u64, number: u64, measure: &Measure) -> Self {
        let mut rng = Rng::with_seed(Payload(seed).key(number));
        let rng = &mut rng;
        let scene = Scene::of(number, rng);
        let proxy = rng.usize(..2);
        let (mut client, mut backend) = (Part::new(rng, measure), Part::new(rng, measure));
        match scene {
            Scene::Talk | Scene::Greet | Scene::Standby if rng.u8(..4) == 0 => {
                let (cutter, other) = if rng.bool() {
                    (&mut client, &mut backend)
                } else {
                    (&mut backend, &mut client)
                };
                let heard = rng.u64(..=other.total());
                cutter.exit = Exit::Reset { heard, pause: pause(rng, measure.pause) };
                cutter.ends = if rng.u8(..4) == 0 { When::AtOnce } else { When::Never };
                other.ends = When::Never;
            }
            _ if scene.is_conversation() => match rng.u8(..8) {
                0 => client.ends = When::AfterTheirEnd,
                1 => backend.ends = When::AfterTheirEnd,
                2 => backend.begins = When::AfterTheirEnd,
                3 => client.begins = When::AfterTheirEnd,
                _ => {}
            },
            Scene::Vanish if rng.bool() => client.exit = Exit::Close,
            Scene::Vanish => client.leaves(Duration::ZERO),
            Scene::Silent if measure.waits.is_none_or(|waits| rng.u32(..waits) > 0) => {
                client.leaves(pause(rng, 2 * measure.pause));
            }
            _ => client.speech.truncate(1),
        }
        client.stalls(rng, backend.total(), measure);
        backend.stalls(rng, client.total(), measure);
        Self { number, proxy, scene, client, backend }
    }
}

impl Part {
    /// Resets without a word.
    fn leaves(&mut self, pause: Duration) {
        self.speech.clear();
        self.ends = When::Never;
        self.exit = Exit::Reset { heard: 0, pause };
    }
}

fn plain(rng: &mut Rng, measure: &Measure) -> Vec<Burst> {
    let total = if rng.u8(..12) == 0 { 0 } else { log_uniform(rng, 1, measure.largest) };
    let chunk = log_uniform(rng, 1 + total / 500, 256 * 1024) as usize;
    let mut left = total;
    let mut speech = Vec::new();
    while left > 0 {
        let bytes = if rng.bool() || speech.len() > 4 { left } else { rng.u64(1..=left) };
        let pause = if rng.u8(..3) == 0 { pause(rng, measure.pause) } else { Duration::ZERO };
        speech.push(Burst { pause, bytes, chunk, waits_for_receipt: rng.u8(..4) == 0 });
        left -= bytes;
    }
    speech
}

/// Bulk, quiet, bulk, small talk, and bulk again.
fn bulky(rng: &mut Rng, measure: &Measure) -> Vec<Burst> {
    let bulk = |rng: &mut Rng| Burst {
        pause: if rng.bool() { pause(rng, 10 * measure.pause) } else { Duration::ZERO },
        bytes: rng.u64(measure.bulk.0..=measure.bulk.1),
        chunk: log_uniform(rng, 16 * 1024, 256 * 1024) as usize,
        waits_for_receipt: rng.bool(),
    };
    let mut speech = vec![bulk(rng), bulk(rng)];
    speech.extend((0..rng.u8(3..40)).map(|_| Burst {
        pause: pause(rng, measure.pause / 50),
        bytes: rng.u64(1..=100),
        chunk: 100,
        waits_for_receipt: rng.bool(),
    }));
    speech.push(bulk(rng));
    speech
}

fn pause(rng: &mut Rng, longest: Duration) -> Duration {
    longest.mul_f64(rng.f64().powi(2))
}

/// As many small numbers as large ones.
fn log_uniform(rng: &mut Rng, least: u64, most: u64) -> u64 {
    let (low, high) = ((least as f64).ln(), (most as f64 + 1.0).ln());
    ((low + rng.f64() * (high - low)).exp() as u64).clamp(least, most)
}
