//! Mapping files: how the records of one log format become events. A mapping is data; a new
//! format needs a new file and no code.
//!
//! Lives here: the form of a mapping file, the built-in ones, and loading. May not live here:
//! applying one (see [`super::engine`]).
//!
//! # The form of a mapping file (TOML)
//!
//! Templates, references, built values: see [`super::template`]. Conditions: see
//! [`super::condition`]. Conversions (`as …`): see [`super::convert::Conversion`].
//!
//! ```toml
//! name = "fleet"                   # part of the identity of what it imports: never change it
//! title = "what it reads, for `import list`"
//!
//! # Where one log stands for others. All of these are templates, and all but `type` may be absent.
//! type = "{/event}"                # the type of what no rule names
//! correlation = "{/trace}"         # the group of events it belongs to
//! branch = "{/gitBranch}"
//! git_sha = "{/commit}"
//! metadata = { worker = "{/worker}" }   # on every event
//! # The event that caused this one: the first that is there. `source` is an id as the source has
//! # it, `event` that of an event that was made (from a memory).
//! cause = [{ event = "{memory.run.event}" }, { source = "{/parentUuid}" }]
//!
//! [input]
//! shape = "auto"                   # lines | array (of one document) | stream (documents) | auto
//! arrays = ["", "/events"]         # where a document may hold its records
//!
//! [about]                          # the first value that one of the first 100 records has
//! session = "{/sessionId}"
//!
//! [id]                             # what names a record; else its bytes do
//! value = "{/event_id}"
//! scope = "file"                   # or "issue": the ids of each issue begin anew
//!
//! [issue]
//! value = "{/bead}"
//! default = "{file.stem as key}"   # for records without one; else they are faults
//!
//! [time]
//! value = "{/ts}"                  # RFC 3339 or a number
//! unit = "auto"                    # s | ms | us | ns | auto (by size)
//! missing = "previous"             # that of the record before | "import": now | "skip"
//!
//! [session]
//! value = "{/sessionId}"           # as the source says it; else …
//! otherwise = "{/worker} {time as day}"   # … the session that this text stands for
//! [session.run]                    # … or, before that, the run under this key, from a record
//! key = "{/worker}"                # that starts one to one that ends it, both included
//! starts = { "/event" = "dispatch" }
//! ends = { "/event" = ["complete", "fail"] }
//!
//! [[actor]]                        # the first whose condition holds and whose id is there
//! when = { "/actor" = { starts_with = "agent-" } }
//! type = "agent"                   # user | system | agent
//! id = "{/actor}"
//! model = "{/model}"
//!
//! [memory.run]                     # things to look up: {memory.run.FIELD}
//! find = "{/worker} {/bead}"       # under which key this record looks
//! keep = 65536                     # how many at most; the oldest are forgotten
//!
//! [[rule]]                         # the first rule that holds applies
//! when = { "/event" = "dispatch" }
//! type = "AgentSpawned"            # without: no event of its own
//! metadata = { agent_name = "{/worker}", assigned_task = "{/bead}" }
//! once = "{/message/id}"           # not again while this text is remembered
//! for_each = "/message/content"    # `each` rules for each item of a list, before `type`
//! each = [{ when = { "item/type" = "text" }, type = "X" }]
//! remember.run = { key = "{/worker} {/bead}", value = { event = "{event}" } }  # afterwards
//! forget = ["run"]                 # afterwards: what `find` finds
//! continue = true                  # later rules may apply too
//! skip = "why"                     # no event at all; counted in the report
//! # also: cause, correlation, actor (one table), in place of those above
//! ```
//!
//! What every event carries beside its own metadata: `import.mapping`, `import.sha256` (of the
//! record's text), and `source`, the record as the source has it (every token as it is written;
//! only white space between tokens may go). Where the type has a field `source` of its own, the
//! record stands under `import.source`. Of several events of one record the first carries it, and
//! the others have `import.record` (the id of the first) and `import.part`. Values over 64 KiB are
//! cut in the metadata; the source has them whole.
//!
//! Every record leaves at least one event (of type `type` when no rule makes one) unless a rule
//! skips it. An event whose type is in the catalogue but whose metadata lacks what that type must
//! have comes in under the record's own `type` instead, and the report says so.

mod load;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::build::Build;
use super::condition::When;
use super::convert::Unit;
use super::template::{Pointer, Template};
pub use load::Listed;

/// How one log format becomes events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub(super) name: String,
    pub(super) title: String,
    #[serde(default)]
    pub(super) input: Input,
    #[serde(default)]
    pub(super) about: BTreeMap<String, Template>,
    #[serde(default)]
    pub(super) id: Id,
    #[serde(default)]
    pub(super) issue: Issue,
    #[serde(default)]
    pub(super) time: Time,
    #[serde(default)]
    pub(super) session: Session,
    #[serde(default)]
    pub(super) actor: Vec<Actor>,
    #[serde(default)]
    pub(super) memory: BTreeMap<String, Memory>,
    pub(super) r#type: Template,
    #[serde(default)]
    pub(super) cause: Vec<Cause>,
    pub(super) correlation: Option<Template>,
    pub(super) branch: Option<Template>,
    pub(super) git_sha: Option<Template>,
    #[serde(default)]
    pub(super) metadata: Build,
    #[serde(default)]
    pub(super) rule: Vec<Rule>,
}

/// How records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Told by the file's beginning.
    #[default]
    Auto,
    /// One JSON object a line.
    Lines,
    /// The items of an array in one JSON document.
    Array,
    /// One JSON document after the other, over as many lines as they like.
    Stream,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    #[serde(default)]
    pub(super) shape: Shape,
    #[serde(default)]
    pub(super) arrays: Vec<Place>,
}

impl Default for Input {
    fn default() -> Self {
        Self { shape: Shape::Auto, arrays: vec![Place(Vec::new())] }
    }
}

/// The keys of a JSON pointer.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Place(pub(super) Vec<String>);

impl TryFrom<String> for Place {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Pointer::parse(&text).map(|pointer| Self(pointer.keys()))
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Id {
    pub(super) value: Option<Template>,
    #[serde(default)]
    pub(super) scope: IdScope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IdScope {
    #[default]
    File,
    Issue,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    pub(super) value: Option<Template>,
    pub(super) default: Option<Template>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    pub(super) value: Option<Template>,
    #[serde(default)]
    pub(super) unit: Unit,
    #[serde(default)]
    pub(super) missing: MissingTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum MissingTime {
    #[default]
    Previous,
    Import,
    Skip,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    pub(super) value: Option<Template>,
    pub(super) run: Option<Run>,
    pub(super) otherwise: Option<Template>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) key: Template,
    pub(super) starts: When,
    pub(super) ends: When,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Actor {
    #[serde(default)]
    pub(super) when: When,
    pub(super) r#type: Template,
    pub(super) id: Template,
    pub(super) model: Option<Template>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    pub(super) find: Template,
    #[serde(default = "keep_by_default")]
    pub(super) keep: usize,
}

fn keep_by_default() -> usize {
    65_536
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub(super) enum Cause {
    Event(Template),
    Source(Template),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remember {
    pub(super) key: Template,
    #[serde(default)]
    pub(super) value: Build,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rule {
    pub(super) when: When,
    pub(super) r#type: Option<Template>,
    pub(super) metadata: Build,
    pub(super) once: Option<Template>,
    pub(super) for_each: Option<Template>,
    pub(super) each: Vec<Rule>,
    pub(super) remember: BTreeMap<String, Remember>,
    pub(super) forget: Vec<String>,
    pub(super) r#continue: bool,
    pub(super) skip: Option<String>,
    pub(super) cause: Option<Vec<Cause>>,
    pub(super) correlation: Option<Template>,
    pub(super) actor: Option<Actor>,
}
