//! A panic inside a check ends that check, and nothing else: it is caught, and nothing of it is printed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Code of the program panicked. Its message is dropped: it may hold values of the target or of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// What a function returns, unless it panics.
pub(crate) fn call<T>(function: impl FnOnce() -> T) -> Result<T, Panicked> {
    silence();
    let outer = GUARDED.replace(true);
    let returned = catch_unwind(AssertUnwindSafe(function));
    GUARDED.set(outer);
    returned.map_err(|_| Panicked)
}

/// What a future returns, unless it panics.
pub(crate) fn future<F: Future>(future: F) -> Guarded<F> {
    Guarded(Some(Box::pin(future)))
}

/// See [`future`].
pub(crate) struct Guarded<F>(Option<Pin<Box<F>>>);

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // After a panic the future is in no state to be polled, and is dropped.
        let Some(inner) = self.0.as_mut() else { return Poll::Ready(Err(Panicked)) };
        match call(|| inner.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panicked) => {
                if let Some(broken) = self.0.take() {
                    _ = call(|| drop(broken));
                }
                Poll::Ready(Err(panicked))
            }
        }
    }
}

/// Makes the process's panic hook leave out panics of guarded code.
fn silence() {
    static SILENT: Once = Once::new();
    SILENT.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_at_each_step_of_a_future() {
        assert_eq!(future(async { 1 }).await, Ok(1));
        assert!(future(async { panic!("at once") }).await.is_err());
        let late = async {
            tokio::task::yield_now().await;
            panic!("later")
        };
        assert!(future(late).await.is_err());
        assert!(!GUARDED.get(), "what follows is guarded too");
    }

    #[test]
    fn guards_within_guards_keep_the_outer_one() {
        let inner = call(|| (call(|| panic!("inside")).is_err(), GUARDED.get()));
        assert_eq!(inner, Ok((true, true)));
    }
}
