//! A topic in a file is read when something was appended.

use tokio::time::sleep;

use super::{READ_AGAIN, Tap};
use crate::sqlite::{Database, log};

/// Messages read at a time.
const COUNT: usize = 256;
/// Content read at a time.
const BYTES: usize = 1 << 20;

/// What is to be read.
struct Piece {
    partition: usize,
    from: i64,
    end: i64,
}

/// What there is to do.
enum Work {
    Read(Piece),
    Wait,
    /// Nobody reads any more.
    End,
}

impl Tap {
    pub(super) async fn read_file(&self, database: &Database) {
        let mut changed = self.topic.partitions().subscribe();
        loop {
            // What is appended from here on wakes it, so nothing falls between a look and a wait.
            changed.mark_unchanged();
            let wait = match self.work() {
                Work::End => return,
                Work::Read(piece) => {
                    let (id, from) = (self.topic.partitions().id(piece.partition), piece.from);
                    let read = move |connection: &_| log::read(connection, id, from, COUNT, BYTES);
                    match database.read(read).await {
                        Ok(messages) => {
                            let mut board = self.board();
                            // Unless readers went and others came meanwhile.
                            if board.partitions[piece.partition].passed == piece.from {
                                board.hand_out(self, piece.partition, &messages);
                                let end = messages.last().map_or(piece.end, |message| message.offset + 1);
                                board.partitions[piece.partition].passed = end;
                            }
                            continue;
                        }
                        Err(error) => {
                            tracing::warn!(%error, topic = %self.topic.name, "a topic could not be read for its streams");
                            Some(READ_AGAIN)
                        }
                    }
                }
                Work::Wait => None,
            };
            tokio::select! {
                () = self.common.stop.cancelled() => return,
                Ok(()) = changed.changed(), if wait.is_none() => {}
                () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    fn work(&self) -> Work {
        let mut board = self.board();
        if !board.has_readers() {
            board.running = false;
            return Work::End;
        }
        let read = board.partitions.iter().enumerate().filter(|(_, partition)| partition.readers > 0);
        let mut pieces = read.map(|(partition, handed)| Piece {
            partition,
            from: handed.passed,
            end: self.topic.partitions().end(partition),
        });
        pieces.find(|piece| piece.from < piece.end).map_or(Work::Wait, Work::Read)
    }
}
