//! Asking the database whether it works, in the background: no request waits for the answer.

use super::{
    Conn, Target,
    errors::Fault,
    health::{Health, Trouble, Woken},
    pool::Pool,
};
use diesel::{QueryResult, connection::SimpleConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

/// How long an answer may take before the database counts as silent.
const PROMPT: Duration = Duration::from_secs(2);
/// The least time between two questions, however often units meet trouble.
const BETWEEN: Duration = Duration::from_millis(50);
/// How long the thread that asks may take before it is left behind: time to connect to several hosts.
const LONGEST: Duration = Duration::from_secs(10);
/// The most threads that are left behind at a time, each with a server that has stopped answering.
const LEFT_BEHIND: u32 = 8;

/// What the database is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    DoYouTakeWrites,
    /// The same, and the proof.
    WriteSomething,
}

/// What the database answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Works,
    CannotWrite,
    Away,
}

/// Starts the thread that asks; the thread ends with [`Health::end`].
pub(super) fn start(target: Target, pool: Arc<Pool>, health: Arc<Health>) -> std::io::Result<()> {
    let watch = move || {
        let left_behind = Arc::new(AtomicU32::new(0));
        let mut asker = None;
        while health.wait() == Woken::ToAsk {
            if asker.is_none() && left_behind.load(Ordering::SeqCst) < LEFT_BEHIND {
                asker = Asker::start(&target, &left_behind).ok();
            }
            let Some(asking) = &asker else { continue };
            if !asking.ask(&pool, &health) {
                left_behind.fetch_add(1, Ordering::SeqCst);
                asker = None;
            }
            std::thread::sleep(BETWEEN);
        }
    };
    std::thread::Builder::new().name("database-watch".into()).spawn(watch).map(drop)
}

/// A thread with a connection of its own, which waits for questions.
struct Asker {
    questions: Sender<Question>,
    replies: Receiver<Reply>,
}

impl Asker {
    fn start(target: &Target, left_behind: &Arc<AtomicU32>) -> std::io::Result<Self> {
        let (questions, asked) = channel::<Question>();
        let (tell, replies) = channel();
        let (target, left_behind) = (target.clone(), Arc::clone(left_behind));
        let work = move || {
            let mut conn = None;
            for question in asked {
                if tell.send(reply(&target, &mut conn, question)).is_err() {
                    left_behind.fetch_sub(1, Ordering::SeqCst);
                    break;
                }
            }
        };
        std::thread::Builder::new().name("database-probe".into()).spawn(work)?;
        Ok(Self { questions, replies })
    }

    /// Asks, and notes the reply; false where the thread has to be left behind.
    fn ask(&self, pool: &Pool, health: &Health) -> bool {
        let proof = health.doubts_writes();
        let question = if proof { Question::WriteSomething } else { Question::DoYouTakeWrites };
        if self.questions.send(question).is_err() {
            return false;
        }
        let reply = match self.replies.recv_timeout(PROMPT) {
            Err(RecvTimeoutError::Timeout) => {
                goes_away(Trouble::Silent, pool, health);
                self.replies.recv_timeout(LONGEST.saturating_sub(PROMPT))
            }
            reply => reply,
        };
        let Ok(reply) = reply else { return false };
        if reply == Reply::Away {
            goes_away(Trouble::Away, pool, health);
            return true;
        }
        if proof && health.writes(reply == Reply::Works) {
            log::warn!(
                "the database {}",
                if reply == Reply::Works { "takes writes again" } else { "takes no writes" }
            );
        }
        if let Some(trouble) = health.answers() {
            log::info!("the database answers again");
            if trouble == Trouble::Silent {
                pool.begin_era();
            }
            pool.wake();
        }
        true
    }
}

fn goes_away(trouble: Trouble, pool: &Pool, health: &Health) {
    if health.goes_away(trouble) {
        log::warn!("the database is not available: {trouble:?}");
        pool.close_idle();
    }
    pool.wake();
}

/// A connection that waits for SQLite's writer for less time than [`PROMPT`].
fn open(target: &Target) -> Option<Conn> {
    let mut conn = target.open().ok()?;
    if conn.is_sqlite() {
        conn.batch_execute("PRAGMA busy_timeout = 1000").ok()?;
    }
    Some(conn)
}

fn reply(target: &Target, held: &mut Option<Conn>, question: Question) -> Reply {
    let Some(mut conn) = held.take().or_else(|| open(target)) else { return Reply::Away };
    if !conn.takes_writes().is_ok_and(|takes_writes| takes_writes) {
        // A connection that had been idle may be dead beside a server that is well.
        let Some(anew) = open(target) else { return Reply::Away };
        conn = anew;
        if !conn.takes_writes().is_ok_and(|takes_writes| takes_writes) {
            return Reply::Away;
        }
    }
    let wrote: QueryResult<()> =
        if question == Question::WriteSomething { conn.write_something() } else { Ok(()) };
    match wrote {
        Ok(()) => {
            *held = Some(conn);
            Reply::Works
        }
        // Somebody else is writing.
        Err(error) if Fault::of(&error) == Fault::Busy => Reply::Works,
        Err(error) => {
            log::debug!("the database takes no writes: {error}");
            Reply::CannotWrite
        }
    }
}
