//! One client's connection: hands the HTTP parser nothing but heads that were checked, and cuts off who is too slow.
//!
//! It never changes what a client sends. A head that must not be parsed is replaced by a line that no parser takes, so
//! that the parser itself answers 400 and closes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Patience,
    head::{self, Body, LARGEST_HEAD},
};

/// What a head that is refused turns into: a NUL cannot stand in a request line (RFC 9112 section 3).
const REFUSED: &[u8] = b"\0\r\n\r\n";

/// A connection between the socket and the HTTP parser.
pub(super) struct Connection<S> {
    stream: S,
    patience: Patience,
    /// What was read and not handed on.
    pending: Vec<u8>,
    /// How many bytes at the beginning of `pending` may be handed on.
    cleared: usize,
    expecting: Expecting,
    /// When the head must be complete.
    head_due: Option<Pin<Box<Sleep>>>,
    /// When the client must have taken a piece of the answer.
    write_due: Option<Pin<Box<Sleep>>>,
}

/// What the next bytes are.
enum Expecting {
    Head,
    Body(u64),
    /// Whatever they are, the connection closes behind them.
    End,
}

impl<S> Connection<S> {
    pub(super) fn new(stream: S, patience: Patience) -> Self {
        Self {
            stream,
            patience,
            pending: Vec::new(),
            cleared: 0,
            expecting: Expecting::Head,
            head_due: Some(timer(patience.head)),
            write_due: None,
        }
    }

    /// Decides about the next pending bytes; `false` if it takes more of them to decide.
    fn clear(&mut self) -> bool {
        match self.expecting {
            Expecting::Head => {
                // Empty lines before a request are no part of it (RFC 9112 section 2.2).
                let blank = self.pending.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                self.pending.drain(..blank);
                let Some(length) = head::length(&self.pending) else {
                    if self.pending.len() > LARGEST_HEAD {
                        // The parser finds it too large as well, and says so.
                        self.cleared = self.pending.len();
                        self.expecting = Expecting::End;
                    }
                    return self.cleared > 0;
                };
                self.head_due = None;
                self.cleared = length;
                self.expecting = match head::body(self.pending.get(..length).unwrap_or_default()) {
                    Some(Body::Length(0)) => Expecting::Head,
                    Some(Body::Length(bytes)) => Expecting::Body(bytes),
                    Some(Body::Chunked) => Expecting::End,
                    None => {
                        self.pending = REFUSED.to_vec();
                        self.cleared = REFUSED.len();
                        Expecting::End
                    }
                };
            }
            Expecting::Body(left) => {
                self.cleared = self.pending.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                self.expecting = match left - self.cleared as u64 {
                    0 => Expecting::Head,
                    left => Expecting::Body(left),
                };
            }
            Expecting::End => self.cleared = self.pending.len(),
        }
        self.cleared > 0
    }

    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.cleared.min(buffer.remaining());
        buffer.put_slice(self.pending.get(..count).unwrap_or_default());
        self.pending.drain(..count);
        self.cleared -= count;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.cleared > 0 || this.clear() {
                this.hand_on(buffer);
                return Poll::Ready(Ok(()));
            }
            let head_begun = matches!(this.expecting, Expecting::Head) && !this.pending.is_empty();
            if head_begun && this.head_due.is_none() {
                this.head_due = Some(timer(this.patience.head));
            }
            if let Some(due) = &mut this.head_due
                && due.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // Into the parser's own room, and out of it again until it is looked at.
            let begin = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            let read = buffer.filled().get(begin..).unwrap_or_default();
            this.pending.extend_from_slice(read);
            let is_end = read.is_empty();
            buffer.set_filled(begin);
            if is_end {
                // The client has closed; an unfinished head goes to the parser, which knows what to make of it.
                this.cleared = this.pending.len();
                this.expecting = Expecting::End;
                this.hand_on(buffer);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Does some writing, unless the client has not taken anything for too long.
    fn write<T>(
        &mut self,
        context: &mut Context<'_>,
        work: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let result = work(Pin::new(&mut self.stream), context);
        if result.is_ready() {
            self.write_due = None;
            return result;
        }
        let due = self.write_due.get_or_insert_with(|| timer(self.patience.write));
        due.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().write(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().write(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().write(context, |stream, context| stream.poll_shutdown(context))
    }
}

fn timer(after: Duration) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(Instant::now() + after))
}
