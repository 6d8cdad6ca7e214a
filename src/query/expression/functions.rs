//! The functions that an expression may call: one table, with a line for people each.
//!
//! Lives here: [`FUNCTIONS`], and those that are written in the language itself. May not live here:
//! the others (see [`super::natives`]), the operators of values (see [`super::val`]).
//!
//! They are jq's, but for those that never end, read the environment, the clock or further input,
//! stop the program, or change values.

use jaq_core::load::parse::Def;

/// A function by its name and the number of its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: usize,
    /// What it gives, in a few words.
    pub doc: &'static str,
}

const fn f(name: &'static str, arity: usize, doc: &'static str) -> Function {
    Function { name, arity, doc }
}

/// All functions, by name.
pub const FUNCTIONS: &[Function] = &[
    f("abs", 0, "the number without its sign"),
    f("add", 0, "the sum of all items"),
    f("add", 1, "the sum of all outputs"),
    f("all", 0, "whether all items are true"),
    f("all", 1, "whether a condition holds for all items"),
    f("all", 2, "whether a condition holds for all outputs"),
    f("any", 0, "whether any item is true"),
    f("any", 1, "whether a condition holds for any item"),
    f("any", 2, "whether a condition holds for any output"),
    f("arrays", 0, "the value, if it is an array"),
    f("ascii_downcase", 0, "the text in small letters"),
    f("ascii_upcase", 0, "the text in capitals"),
    f("booleans", 0, "the value, if it is true or false"),
    f("ceil", 0, "the number rounded up"),
    f("contains", 1, "whether the argument is part of it"),
    f("empty", 0, "nothing"),
    f("endswith", 1, "whether the text ends with the argument"),
    f("error", 0, "an error"),
    f("error", 1, "an error with a message"),
    f("false", 0, "false"),
    f("first", 0, "the first item"),
    f("first", 1, "the first output"),
    f("flatten", 0, "the items of all inner arrays"),
    f("floor", 0, "the number rounded down"),
    f("from_entries", 0, "an object of keys and values"),
    f("fromdate", 0, "the seconds since 1970 of a time"),
    f("fromjson", 0, "the value that a text is the JSON of"),
    f("getpath", 1, "the value at a path"),
    f("group_by", 1, "the items in groups"),
    f("has", 1, "whether it has this key or index"),
    f("in", 1, "whether the argument has it as a key"),
    f("index", 1, "where the argument first stands"),
    f("inside", 1, "whether it is part of the argument"),
    f("isempty", 1, "whether there is no output"),
    f("iterables", 0, "the value, if it has items"),
    f("join", 1, "the items with a text between them"),
    f("keys", 0, "the keys, sorted"),
    f("last", 0, "the last item"),
    f("last", 1, "the last output"),
    f("length", 0, "how many items or characters"),
    f("limit", 2, "the first outputs"),
    f("ltrimstr", 1, "the text without this beginning"),
    f("map", 1, "each item, put through a filter"),
    f("max", 0, "the largest item"),
    f("max_by", 1, "the item with the largest output"),
    f("min", 0, "the smallest item"),
    f("min_by", 1, "the item with the smallest output"),
    f("not", 0, "true for false and null, else false"),
    f("nth", 1, "the item at this index"),
    f("null", 0, "null"),
    f("numbers", 0, "the value, if it is a number"),
    f("objects", 0, "the value, if it is an object"),
    f("paths", 0, "the paths of all values"),
    f("recurse", 0, "the value and all that is in it"),
    f("reverse", 0, "the items from the last to the first"),
    f("round", 0, "the nearest whole number"),
    f("rtrimstr", 1, "the text without this end"),
    f("scalars", 0, "the value, if it has no items"),
    f("select", 1, "the value, if a condition holds"),
    f("skip", 2, "the outputs after the first"),
    f("sort", 0, "the items in order"),
    f("sort_by", 1, "the items in the order of an output"),
    f("split", 1, "the parts of a text"),
    f("startswith", 1, "whether the text begins with the argument"),
    f("strings", 0, "the value, if it is a text"),
    f("test", 1, "whether a regular expression matches"),
    f("test", 2, "the same, with flags (i, x, s)"),
    f("to_entries", 0, "the keys and values of an object"),
    f("todate", 0, "the time of seconds since 1970"),
    f("tojson", 0, "its JSON text"),
    f("tonumber", 0, "the number that a text is"),
    f("tostring", 0, "its text"),
    f("trim", 0, "the text without blanks around it"),
    f("true", 0, "true"),
    f("type", 0, "the name of its type"),
    f("unique", 0, "the items in order, each once"),
    f("unique_by", 1, "the items in order of an output, each output once"),
    f("values", 0, "the value, unless it is null"),
];

/// Those that are written in the language itself.
const DEFINED: &str = r#"
def empty: {}[] as $x | .;
def error: error_empty as $x | .;
def error(msgs): (msgs | error_empty) as $x | .;
def true: 0 == 0;
def false: 0 != 0;
def null: [][0];
def not: if . then false else true end;
def select(f): if f then . else empty end;
def values: select(. != null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type | . == "array" or . == "object");
def scalars: select(type | . != "array" and . != "object");
def tostring: "\(.)";
def recurse: ..;
def paths: skip(1; path(..));
def getpath($path): reduce $path[] as $p (.; .[$p]);
def map(f): [.[] | f];
def first: .[0];
def last: .[-1];
def nth(n): .[n];
def to_entries: [key_values[] as [$key, $value] | { key: $key, value: $value }];
def isempty(g): first((g | false), true);
def all(g; cond): isempty(g | cond and empty);
def any(g; cond): isempty(g | cond or empty) | not;
def all(cond): all(.[]; cond);
def any(cond): any(.[]; cond);
def all: all(.[]; .);
def any: any(.[]; .);
def add(f): reduce f as $x (null; . + $x);
def add: add(.[]);
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
"#;

/// The definitions of [`DEFINED`].
pub(super) fn definitions() -> Vec<Def<&'static str>> {
    jaq_core::load::parse(DEFINED, |parser| parser.defs()).unwrap_or_default()
}
