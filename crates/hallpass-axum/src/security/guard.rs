//! What a request has to pass before a handler sees it, and what holds while the handler runs.
//!
//! Nothing here knows a route: each rule holds for all of them.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Duration,
};

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hallpass_core::{Code, Error};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::Query;
use crate::{AppState, client::Client, error::Problem, json::LARGEST_BODY};

/// The longest path and query, in bytes.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the handler, if the address is no longer than 8 KiB and the whole body has come, bounded in size and time.
///
/// The handler then waits for no client in the middle of a change.
pub(crate) async fn admit(request: Request, next: Next) -> Response {
    if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > LONGEST_ADDRESS) {
        let problem = Problem::new(Code::InvalidRequest, "The address is longer than 8 KiB");
        return problem.with_status(StatusCode::URI_TOO_LONG).into_response();
    }
    if request.body().is_end_stream() {
        return run_to_the_end(request, next).await;
    }
    // What most requests do not need lies elsewhere, so that theirs are small.
    match Box::pin(read_body(request)).await {
        Ok(request) => run_to_the_end(request, next).await,
        Err(problem) => {
            let mut response = problem.into_response();
            if response.status() == StatusCode::REQUEST_TIMEOUT {
                // The rest of the body may still come, and must not be taken for a request.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

/// Refuses what no handler sees.
pub(super) fn refuse(request: &Request, query: Query, app: &AppState) -> Result<(), Problem> {
    refuse_foreign_page(request, app)?;
    if query == Query::Refused && request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(Problem::new(
            Code::InvalidRequest,
            "This address takes no parameters after `?`; a token goes into `Authorization`",
        ));
    }
    Ok(())
}

/// Refuses requests of foreign pages that could change something (CSRF, log-in CSRF).
///
/// A request with an `Authorization` header is judged by that alone: no page can make a browser send one to us unless
/// we allowed it in a preflight.
fn refuse_foreign_page(request: &Request, app: &AppState) -> Result<(), Problem> {
    if !request.method().is_safe() && !request.headers().contains_key(header::AUTHORIZATION) {
        Client::of(request.headers(), app.policy()).refuse_foreign_page()?;
    }
    Ok(())
}

async fn read_body(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > LARGEST_BODY as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(Request::from_parts(parts, Body::from(body.to_bytes()))),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Code::InvalidRequest, "The body does not arrive as it was announced")),
        Err(_) => {
            let problem = Problem::new(Code::DeadlineExceeded, "The body did not arrive within 15 seconds");
            Err(problem.with_status(StatusCode::REQUEST_TIMEOUT))
        }
    }
}

/// Runs the handler in a task of its own and waits for it, unless it is done at once.
///
/// Were the handler run here, a client that hangs up would stop it at its next wait: after the database has committed,
/// say, and before this node knows that a session is over. In its own task it goes on, whether anybody waits for it or
/// not. A handler that waits for nothing cannot be stopped, and is spared the task.
async fn run_to_the_end(request: Request, next: Next) -> Response {
    let mut work = Box::pin(next.run(request));
    let begun = poll_fn(|context| Poll::Ready(catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)))));
    match begun.await {
        Ok(Poll::Ready(response)) => return response,
        Ok(Poll::Pending) => {}
        Err(_) => return panicked(),
    }
    Box::pin(wait(tokio::spawn(work.in_current_span()))).await
}

async fn wait(work: JoinHandle<Response>) -> Response {
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => panicked(),
        Err(_) => Problem::new(
            Code::DeadlineExceeded,
            "There was no answer within 30 seconds; what was asked for may still happen",
        )
        .into_response(),
    }
}

fn panicked() -> Response {
    Problem::from(Error::internal("the handler panicked")).into_response()
}

fn too_large() -> Problem {
    Problem::new(Code::PayloadTooLarge, "A body can have at most 65536 bytes")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::{Router, body::Bytes, middleware::from_fn, routing::post};
    use http_body_util::channel::Channel;
    use tower::ServiceExt;

    use super::*;

    async fn panics() {
        panic!("a fault in a handler");
    }

    async fn panics_later() {
        tokio::task::yield_now().await;
        panic!("a fault in a handler");
    }

    async fn never_answers() {
        std::future::pending().await
    }

    async fn goes_on() -> Body {
        Body::from_stream(futures_util::stream::unfold(0, async |pieces| {
            tokio::time::sleep(DEADLINE).await;
            (pieces < 3).then_some((Ok::<_, Infallible>("piece "), pieces + 1))
        }))
    }

    async fn send(request: Request) -> (StatusCode, String, bool) {
        let router = Router::new()
            .route("/panics", post(panics))
            .route("/panics-later", post(panics_later))
            .route("/never", post(never_answers))
            .route("/goes-on", post(goes_on))
            .route("/fine", post(async || "fine"))
            .layer(from_fn(admit));
        let response = router.oneshot(request).await.unwrap();
        let closes = response.headers().contains_key(header::CONNECTION);
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap(), closes)
    }

    fn to(path: &str, body: Body) -> Request {
        Request::post(path).body(body).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_has_begun_may_go_on_for_longer() {
        let (status, body, _) = send(to("/goes-on", Body::empty())).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "piece piece piece "));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_that_tells_nothing() {
        for path in ["/panics", "/panics-later"] {
            let (status, body, _) = send(to(path, Body::empty())).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert!(body.contains(r#""code":"internal""#) && !body.contains("handler"), "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_is_waited_for_30_seconds() {
        let begun = tokio::time::Instant::now();
        let (status, body, _) = send(to("/never", Body::empty())).await;
        assert_eq!((status, begun.elapsed().as_secs()), (StatusCode::SERVICE_UNAVAILABLE, 30));
        assert!(body.contains(r#""code":"deadline_exceeded""#), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_waited_for_15_seconds_and_then_the_connection_ends() {
        let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
        sender.send_data(Bytes::from_static(b"{")).await.unwrap();
        let begun = tokio::time::Instant::now();
        let (status, _, closes) = send(to("/fine", Body::new(body))).await;
        assert_eq!((status, begun.elapsed().as_secs(), closes), (StatusCode::REQUEST_TIMEOUT, 15, true));
        drop(sender);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_begins_nothing() {
        let (sender, body) = Channel::<Bytes, std::io::Error>::new(1);
        sender.abort(std::io::ErrorKind::UnexpectedEof.into());
        let (status, body, _) = send(to("/fine", Body::new(body))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
}
