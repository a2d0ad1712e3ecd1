//! The handlers of `handlers!`, as a chain of traits. Each has a compile error that says what is missing.
//!
//! axum's `Handler` would do, but then the compiler only says that a function is not a `Handler`. And where a single trait fails, the
//! compiler would infer the state from the first handler; see [`Unknown`].

use std::marker::PhantomData;
use std::pin::Pin;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use http::request::Parts;

/// A handler function: `async`, with extractors as arguments and a response as output.
///
/// `A` are its arguments, `S` is the state of the routes and `M` how the last argument is extracted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "a handler is an `async fn` with at most 16 arguments, each of them an extractor"
)]
pub trait HandlerFunction<A, S, M>: Clone + Send + Sync + 'static {
    /// Extracts the arguments, calls the function and turns its output into a response.
    fn respond(self, request: Request, state: S) -> impl Future<Output = Response> + Send;
}

impl<F, A, S, M> HandlerFunction<A, S, M> for F
where
    F: Function<A>,
    F::Returned: AsyncFunctionOutput,
    <F::Returned as AsyncFunctionOutput>::Output: HandlerOutput,
    <F::Returned as AsyncFunctionOutput>::Future: Send,
    A: Arguments<S, M>,
    S: Send + Sync,
{
    async fn respond(self, request: Request, state: S) -> Response {
        match A::extract(request, &state).await {
            Ok(arguments) => self.call(arguments).into_future().await.into_http_response(),
            Err(refused) => refused,
        }
    }
}

/// A function of at most 16 arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "a handler is an `async fn` with at most 16 arguments, each of them an extractor"
)]
pub trait Function<A>: Clone + Send + Sync + 'static {
    /// The return type: a future, if the function is `async`.
    type Returned;

    /// Calls the function.
    fn call(self, arguments: A) -> Self::Returned;
}

/// The return value of an `async fn`.
#[diagnostic::on_unimplemented(
    message = "a handler has to be an `async fn`, but this one returns `{Self}`",
    label = "not an `async fn`",
    note = "write `async fn` in place of `fn`"
)]
pub trait AsyncFunctionOutput {
    /// The output of the future.
    type Output;
    /// The future.
    type Future: Future<Output = Self::Output>;

    /// The future.
    fn into_future(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F: Future> AsyncFunctionOutput for F {
    type Output = F::Output;
    type Future = F;

    fn into_future(self) -> F {
        self
    }
}

/// The output of a handler.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "what a handler of these returns cannot be sent",
    note = "return `Envelope<T>`, `Result<Envelope<T>>` of `tapisservice::prelude`, or what implements `IntoResponse`",
    note = "the error of a handler is `tapisservice::Error`; `?` makes one of each error that implements `ServiceError`"
)]
pub trait HandlerOutput {
    /// The response.
    fn into_http_response(self) -> Response;
}

#[diagnostic::do_not_recommend]
impl<T: IntoResponse> HandlerOutput for T {
    fn into_http_response(self) -> Response {
        self.into_response()
    }
}

/// An argument that is not the last one, so it cannot read the body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler here, where the state of the routes is `{S}`",
    label = "an argument of a handler of these cannot be extracted",
    note = "an argument that reads the body (`Json`, `Bytes`, `String`, `Request`) has to be the last one",
    note = "`State<T>` needs an `impl FromRef<{S}> for T`"
)]
pub trait Argument<S>: Sized {
    /// Extracts it, or returns the rejection.
    fn extract(parts: &mut Parts, state: &S) -> impl Future<Output = Result<Self, Response>> + Send;
}

#[diagnostic::do_not_recommend]
impl<T: FromRequestParts<S>, S: Send + Sync> Argument<S> for T {
    async fn extract(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        T::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)
    }
}

/// The last argument, which may read the body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler, where the state of the routes is `{S}`",
    label = "an argument of a handler of these cannot be extracted",
    note = "an argument has to be an extractor: it implements `FromRequestParts` or `FromRequest`",
    note = "`State<T>` needs an `impl FromRef<{S}> for T`; `Json<T>` needs `T: Deserialize`"
)]
pub trait LastArgument<S, M>: Sized {
    /// Extracts it, or returns the rejection.
    fn extract(request: Request, state: &S) -> impl Future<Output = Result<Self, Response>> + Send;
}

#[diagnostic::do_not_recommend]
impl<T: FromRequest<S, M>, S: Send + Sync, M> LastArgument<S, M> for T {
    async fn extract(request: Request, state: &S) -> Result<Self, Response> {
        T::from_request(request, state).await.map_err(IntoResponse::into_response)
    }
}

/// All arguments of a function.
pub trait Arguments<S, M>: Sized + Send {
    /// Extracts them in order, or returns the first rejection.
    fn extract(request: Request, state: &S) -> impl Future<Output = Result<Self, Response>> + Send;
}

/// A state that no routes have. It makes the compiler wait until it knows the state of the routes.
///
/// Without it, `Cache: FromRef<?>` has one solution if the author forgot the implementation: the identity. The compiler would take
/// `Cache` for the state of the routes and report the wrong place. Two implementations for unused states keep the choice open until the
/// real state is known.
#[derive(Debug)]
pub enum Unknown<const N: usize> {}

macro_rules! unknown {
    ($($n:literal)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<A: Send> Arguments<Unknown<$n>, ()> for A {
            async fn extract(_: Request, state: &Unknown<$n>) -> Result<Self, Response> {
                match *state {}
            }
        }
    )*};
}

unknown!(0 1);

impl<F, R> Function<()> for F
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    type Returned = R;

    fn call(self, (): ()) -> R {
        self()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Clone + Send + Sync + 'static> Arguments<S, ()> for () {
    async fn extract(_: Request, _: &S) -> Result<Self, Response> {
        Ok(())
    }
}

macro_rules! functions {
    ($([$($argument:ident)*] $last:ident)*) => {$(
        #[expect(non_snake_case, reason = "an argument has the name of its type")]
        impl<F, R, $($argument,)* $last> Function<($($argument,)* $last,)> for F
        where
            F: Fn($($argument,)* $last) -> R + Clone + Send + Sync + 'static,
        {
            type Returned = R;

            fn call(self, ($($argument,)* $last,): ($($argument,)* $last,)) -> R {
                self($($argument,)* $last)
            }
        }

        #[expect(non_snake_case, reason = "an argument has the name of its type")]
        impl<S, M, $($argument,)* $last> Arguments<S, M> for ($($argument,)* $last,)
        where
            S: Clone + Send + Sync + 'static,
            $($argument: Argument<S> + Send,)*
            $last: LastArgument<S, M> + Send,
        {
            async fn extract(request: Request, state: &S) -> Result<Self, Response> {
                #[allow(unused_mut, reason = "one argument alone reads the request whole")]
                let (mut parts, body) = request.into_parts();
                $(let $argument = $argument::extract(&mut parts, state).await?;)*
                let $last = $last::extract(Request::from_parts(parts, body), state).await?;
                Ok(($($argument,)* $last,))
            }
        }
    )*};
}

functions! {
    [] A1
    [A1] A2
    [A1 A2] A3
    [A1 A2 A3] A4
    [A1 A2 A3 A4] A5
    [A1 A2 A3 A4 A5] A6
    [A1 A2 A3 A4 A5 A6] A7
    [A1 A2 A3 A4 A5 A6 A7] A8
    [A1 A2 A3 A4 A5 A6 A7 A8] A9
    [A1 A2 A3 A4 A5 A6 A7 A8 A9] A10
    [A1 A2 A3 A4 A5 A6 A7 A8 A9 A10] A11
    [A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11] A12
    [A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12] A13
    [A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13] A14
    [A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14] A15
    [A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15] A16
}

/// A handler function for axum.
pub(super) struct FunctionHandler<F, A, M> {
    function: F,
    types: PhantomData<fn() -> (A, M)>,
}

impl<F, A, M> FunctionHandler<F, A, M> {
    pub(super) fn new(function: F) -> Self {
        Self { function, types: PhantomData }
    }
}

impl<F: Clone, A, M> Clone for FunctionHandler<F, A, M> {
    fn clone(&self) -> Self {
        Self::new(self.function.clone())
    }
}

impl<F, A, S, M> Handler<(), S> for FunctionHandler<F, A, M>
where
    F: HandlerFunction<A, S, M>,
    A: 'static,
    M: 'static,
    S: Clone + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        Box::pin(self.function.respond(request, state))
    }
}
