//! From `tracing` events to lines.

use std::{io::Write as _, sync::Arc};

use serde_json::Value;
use tapisservice_core::RequestContext;
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_log::NormalizeEvent;
use tracing_subscriber::{
    Layer,
    fmt::MakeWriter,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    LogFormat, LogLevel,
    fields::Fields,
    filter::Levels,
    human, json,
    line::Line,
    request::{self, Ids},
};

/// Renders events and writes each as one line.
// Not a `fmt::Layer` with a `FormatEvent`, for three reasons. It keeps the fields of spans as text, so JSON would lose their types. It
// formats them while it holds the lock of the span, for which a `Debug` that logs would wait forever. And it chooses the writer by
// the metadata of the event, which for a record of the `log` crate has the target `log`: such lines would be filed under no module.
pub(super) struct LogLayer<W> {
    pub(super) levels: Arc<Levels>,
    pub(super) writer: W,
    pub(super) format: LogFormat,
    pub(super) ansi: bool,
}

/// The fields of a span, kept in its extensions. Shared, so that a line holds the lock of the span only to clone the pointer.
struct SpanFields(Arc<Fields>);

impl<S, W> Layer<S> for LogLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut fields = Fields::with_capacity(attributes.metadata().fields().len());
        attributes.record(&mut fields);
        if let Some(span) = cx.span(id) {
            span.extensions_mut().replace(SpanFields(Arc::new(fields)));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        // NOTE: values are rendered before the extensions are locked. A panic inside a `Debug` is logged within this very
        // span, and would wait for that lock forever.
        let mut newer = Fields::default();
        values.record(&mut newer);
        if let Some(span) = cx.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            Arc::make_mut(fields).merge(newer);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let bridged = event.normalized_metadata();
        let metadata = bridged.as_ref().unwrap_or_else(|| event.metadata());
        let mut fields = Fields::default();
        event.record(&mut fields);
        let critical = is_critical(&mut fields);
        if !critical && self.levels.of(metadata.target()) == LogLevel::Critical {
            return;
        }
        inherit(&mut fields, cx.event_scope(event).into_iter().flatten());
        let ids = RequestContext::current().map_or_else(
            |_| Ids::default(),
            |g| {
                request::add_target(&mut fields, &g);
                Ids::of(&g)
            },
        );
        let level = if critical { "CRITICAL" } else { name(*metadata.level()) };
        self.write(&Line::new(level, metadata.target(), fields, ids), metadata);
    }
}

impl<W: for<'a> MakeWriter<'a>> LogLayer<W> {
    fn write(&self, line: &Line, metadata: &Metadata<'_>) {
        let mut text = match self.format {
            LogFormat::Human => human::render(line, self.ansi),
            LogFormat::Json => json::render(line),
        };
        text.push('\n');
        // The log has nowhere to report that it cannot be written.
        let _ = self.writer.make_writer_for(metadata).write_all(text.as_bytes());
    }
}

/// `critical = true` is a level, not a field.
fn is_critical(fields: &mut Fields) -> bool {
    if fields.get("critical") == Some(&Value::Bool(true)) {
        fields.take("critical");
        return true;
    }
    false
}

/// Adds the fields of the enclosing spans, innermost first.
fn inherit<'a, S: LookupSpan<'a> + 'a>(fields: &mut Fields, scope: impl Iterator<Item = SpanRef<'a, S>>) {
    for span in scope {
        if let Some(shared) = span.extensions().get().map(|SpanFields(fields)| Arc::clone(fields)) {
            fields.inherit(&shared);
        }
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}
