//! Limits the open connections, and the bytes of request bodies in memory. At a limit, a connection without a
//! complete request is closed, so that half-open connections cannot lock other clients out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Maximum number of connections without a complete request, and of all connections.
const MOST_WAITING: usize = 512;
const MOST: usize = 4096;
/// Maximum number of bytes of bodies that are being read or prepared.
const MOST_BYTES: usize = 64 << 20;
/// Number of large bodies that are read or parsed at once. The same limit applies separately to still larger
/// bodies. Further bodies stay in the system's socket buffers, so their clients wait.
const LARGE_ONES: usize = 1;
/// If the server has waited for the rest of a request for at least this time, it closes the connection before
/// others. A small request arrives in far less time.
const GRACE: Duration = Duration::from_secs(1);
/// Time in which a new connection, or a request whose body has begun, is never closed for another connection.
/// Without it, many connections that are accepted one after another would close a connection before the
/// server has read from it.
const YOUNG: Duration = Duration::from_millis(100);
/// Size in bytes below which the data of a turn are small. A packet of an ordinary network is larger.
const SMALL_TURN: usize = 1024;

/// The connections of a server.
pub(super) struct Traffic {
    state: Mutex<State>,
    large: Arc<Semaphore>,
    larger: Arc<Semaphore>,
}

impl Default for Traffic {
    fn default() -> Self {
        let turns = || Arc::new(Semaphore::new(LARGE_ONES));
        Self { state: Mutex::default(), large: turns(), larger: turns() }
    }
}

#[derive(Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Open>,
    bytes: usize,
}

/// The state of an open connection.
struct Open {
    stage: Stage,
    accepted: Instant,
    /// When the stage began.
    since: Instant,
    /// Whether the body of the request has had a turn.
    is_large: bool,
    /// Number of turns of the body of the request that yielded less than [`SMALL_TURN`] bytes.
    small_turns: usize,
    bytes: usize,
    end: Arc<Notify>,
}

impl Open {
    /// Whether the stage has lasted for at least `time`.
    fn has_waited(&self, now: Instant, time: Duration) -> bool {
        now.saturating_duration_since(self.since) >= time
    }

    /// Whether the connection is new, or its body has begun just now. A connection that waits for a further
    /// request is not young: otherwise, many clients with frequent requests would keep new clients out.
    fn is_young(&self, now: Instant) -> bool {
        let since = if self.stage == Stage::Reading { self.since } else { self.accepted };
        now.saturating_duration_since(since) < YOUNG
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The next request head is incomplete.
    Waiting,
    /// The request body is incomplete.
    Reading,
    /// A part of the request body waits for its turn.
    Queued,
    /// The request is being answered.
    Answering,
}

impl Stage {
    /// Whether the server waits for the client.
    fn is_slow(self) -> bool {
        matches!(self, Self::Waiting | Self::Reading)
    }
}

/// Why no further connection can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// All connections that could be closed are young.
    ForNow,
    /// The requests of all connections are being answered.
    Answering,
}

/// An open connection. It counts towards the limits until its last clone is dropped.
#[derive(Clone)]
pub(super) struct Connection(Arc<Entry>);

struct Entry {
    traffic: Arc<Traffic>,
    number: u64,
    end: Arc<Notify>,
}

/// A request of a connection, from its head to the end of its answer.
pub(super) struct Asked(Connection);

/// The counted bytes of a body that is being received or prepared.
pub(super) struct Held(Connection);

impl Traffic {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection. At the limit, closes another connection.
    pub fn open(self: &Arc<Self>) -> Result<Connection, Full> {
        self.open_at(Instant::now())
    }

    fn open_at(self: &Arc<Self>, now: Instant) -> Result<Connection, Full> {
        let mut state = self.lock();
        let waiting = state.open.values().filter(|open| open.stage != Stage::Answering).count();
        if (waiting >= MOST_WAITING || state.open.len() >= MOST) && !state.close_one(now) {
            return Err(if waiting > 0 { Full::ForNow } else { Full::Answering });
        }
        let number = state.next;
        state.next += 1;
        let (accepted, since, end) = (now, now, Arc::new(Notify::new()));
        let open = Open {
            stage: Stage::Waiting,
            accepted,
            since,
            is_large: false,
            small_turns: 0,
            bytes: 0,
            end: end.clone(),
        };
        state.open.insert(number, open);
        Ok(Connection(Arc::new(Entry { traffic: self.clone(), number, end })))
    }

    /// Closes a connection without a complete request. Returns `false` if there is none that may be closed.
    pub fn close_one(&self) -> bool {
        self.lock().close_one(Instant::now())
    }
}

impl State {
    /// Closes one connection. The first choice is a client that has sent nothing complete for [`GRACE`], then
    /// a large body that arrives in small pieces, then another client for which the server waits, unless it
    /// is young, and last the newest large body.
    fn close_one(&mut self, now: Instant) -> bool {
        let oldest = |may: &dyn Fn(&Open) -> bool| {
            let open = self.open.iter().filter(|(_, open)| may(open));
            open.min_by_key(|(_, open)| open.since).map(|(number, _)| *number)
        };
        let slow = oldest(&|open| open.stage.is_slow() && open.has_waited(now, GRACE));
        let in_pieces = || {
            let bodies = self.open.iter().filter(|(_, open)| open.stage != Stage::Answering);
            let most = bodies.max_by_key(|(_, open)| open.small_turns);
            most.filter(|(_, open)| open.small_turns > 0).map(|(number, _)| *number)
        };
        // The bodies that have waited longest get their turns. Closing the oldest would waste all turns.
        let newest_body = || {
            let is_body = |open: &Open| open.is_large && open.stage != Stage::Answering;
            let mut bodies = self.open.iter().rev().filter(|(_, open)| is_body(open));
            bodies.next().map(|(number, _)| *number)
        };
        let number = slow
            .or_else(in_pieces)
            .or_else(|| oldest(&|open| open.stage.is_slow() && !open.is_large && !open.is_young(now)))
            .or_else(newest_body);
        number.is_some_and(|number| self.close(number))
    }

    /// Closes a connection and stops counting it.
    fn close(&mut self, number: u64) -> bool {
        let Some(open) = self.open.remove(&number) else { return false };
        self.bytes -= open.bytes;
        open.end.notify_one();
        true
    }
}

impl Connection {
    /// Returns when the connection must be closed.
    pub async fn ended(&self) {
        self.0.end.notified().await;
    }

    /// Whether a request of this connection is being read or answered.
    pub fn is_asked(&self) -> bool {
        let state = self.0.traffic.lock();
        state.open.get(&self.0.number).is_some_and(|open| open.stage != Stage::Waiting)
    }

    /// Marks the request head as complete.
    pub fn ask(&self) -> Asked {
        self.set(Stage::Reading);
        Asked(self.clone())
    }

    /// Marks the body as complete, after which the connection is not closed in favour of others.
    pub fn answer(&self) {
        self.set(Stage::Answering);
    }

    /// Waits for a turn to read a large body, or a larger one if `is_larger`. Waiting connections take turns
    /// in the order of their calls. `bytes` is the number of bytes since the previous turn. The semaphores
    /// are never closed.
    pub async fn turn(&self, is_larger: bool, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let traffic = &self.0.traffic;
        let turns = if is_larger { &traffic.larger } else { &traffic.large };
        self.set(Stage::Queued);
        if let Some(open) = traffic.lock().open.get_mut(&self.0.number) {
            open.is_large = true;
            open.small_turns += usize::from(bytes < SMALL_TURN);
        }
        let turn = turns.clone().acquire_owned().await;
        self.set(Stage::Reading);
        turn.ok()
    }

    /// Starts to count the bytes of a body.
    pub fn hold(&self) -> Held {
        Held(self.clone())
    }

    fn set(&self, stage: Stage) {
        if let Some(open) = self.0.traffic.lock().open.get_mut(&self.0.number) {
            open.stage = stage;
            open.since = Instant::now();
            if stage == Stage::Waiting {
                (open.is_large, open.small_turns) = (false, 0);
            }
        }
    }
}

impl Held {
    /// Counts further bytes. If the total exceeds the limit, closes the connection with the largest body.
    /// Returns `false` if this connection has the largest body, or if no other connection can be closed.
    pub fn add(&self, bytes: usize) -> bool {
        let number = self.0.0.number;
        let mut state = self.0.0.traffic.lock();
        let own = state.open.get(&number).map_or(0, |open| open.bytes) + bytes;
        while state.bytes + bytes > MOST_BYTES {
            let others = state.open.iter().filter(|(other, open)| {
                **other != number && open.stage != Stage::Answering && open.bytes >= own
            });
            let Some(largest) = others.max_by_key(|(_, open)| open.bytes).map(|(number, _)| *number) else {
                return false;
            };
            state.close(largest);
        }
        let Some(open) = state.open.get_mut(&number) else { return false };
        open.bytes += bytes;
        state.bytes += bytes;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.0.0.traffic.lock();
        let Some(open) = state.open.get_mut(&self.0.0.number) else { return };
        let bytes = std::mem::take(&mut open.bytes);
        state.bytes -= bytes;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.set(Stage::Waiting);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.traffic.lock();
        if let Some(open) = state.open.remove(&self.number) {
            state.bytes -= open.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_open(traffic: &Traffic) -> usize {
        traffic.lock().open.len()
    }

    #[test]
    fn the_oldest_that_waits_makes_room_and_one_that_is_answered_does_not() {
        let traffic = Arc::new(Traffic::default());
        let now = Instant::now();
        let all: Vec<Connection> = (0..MOST_WAITING).map(|_| traffic.open_at(now).expect("room")).collect();
        assert_eq!(traffic.open_at(now).err(), Some(Full::ForNow), "all are young");
        let later = now + YOUNG;
        let asked = all[0].ask();
        all[0].answer();
        let more: Vec<Connection> = (0..2).map(|_| traffic.open_at(later).expect("room")).collect();
        assert_eq!(n_open(&traffic), MOST_WAITING + 1);
        assert!(all[0].is_asked());
        drop(asked);
        assert!(!all[0].is_asked());
        drop((all, more));
        assert_eq!(n_open(&traffic), 0);
    }

    #[tokio::test]
    async fn slow_clients_and_small_pieces_are_closed_before_others_and_large_bodies_last() {
        let traffic = Arc::new(Traffic::default());
        let now = Instant::now();
        let all = [0; 5].map(|_| traffic.open_at(now).expect("room"));
        let asked: Vec<Asked> = all.iter().map(Connection::ask).collect();
        let [queued, pieces, slow, recent, new] = &all;
        drop(pieces.turn(false, 1).await.expect("a turn"));
        drop(queued.turn(true, SMALL_TURN).await.expect("a turn"));
        queued.set(Stage::Queued);
        let since = |connection: &Connection, since: Instant| {
            traffic.lock().open.get_mut(&connection.0.number).expect("open").since = since;
        };
        let later = now + 2 * GRACE;
        [queued, pieces, new].into_iter().for_each(|connection| since(connection, later));
        since(slow, later - GRACE);
        since(recent, later - YOUNG);
        for closed in [slow, pieces, recent, queued] {
            assert!(closed.is_asked() && traffic.lock().close_one(later) && !closed.is_asked());
        }
        assert!(new.is_asked() && !traffic.lock().close_one(later), "its body has begun just now");
        // A connection that waits for a further request is not protected.
        drop(asked);
        since(new, later);
        assert!(traffic.lock().close_one(later) && n_open(&traffic) == 0);
    }

    #[test]
    fn where_all_are_answered_another_is_refused() {
        let traffic = Arc::new(Traffic::default());
        let all: Vec<_> = (0..MOST)
            .map(|_| {
                let connection = traffic.open().expect("room");
                let asked = connection.ask();
                connection.answer();
                (connection, asked)
            })
            .collect();
        assert_eq!(traffic.open().err(), Some(Full::Answering));
        drop(all);
        assert!(traffic.open().is_ok());
    }

    #[test]
    fn a_large_body_makes_room_for_small_ones() {
        let traffic = Arc::new(Traffic::default());
        let (large, small) = (traffic.open().expect("room"), traffic.open().expect("room"));
        let (of_large, of_small) = (large.hold(), small.hold());
        assert!(of_large.add(MOST_BYTES));
        assert!(of_small.add(1000), "the large one is closed");
        assert_eq!((n_open(&traffic), traffic.lock().bytes), (1, 1000));
        assert!(!of_large.add(1), "it is closed");
        assert!(!of_small.add(MOST_BYTES), "there is no larger one");
        drop(of_small);
        assert_eq!(traffic.lock().bytes, 0);
    }
}
