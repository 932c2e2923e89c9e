//! A sharded chain in Rust, as a process that shardproof can check. It needs rustc, and no crate.
//!
//!     rustc --edition 2021 -O -o shard harness/examples/rust/shard.rs
//!     shardproof fuzz --adapter 'cmd:./shard'
//!
//! All shards live in this one process, so nothing needs to be signed: a header is right if a shard has
//! produced it, and final if consensus has said so; evidence is the place of a receipt in the list that a
//! header commits to. Bytes stay what they are on the wire, hexadecimal text, and are compared as such.
//!
//! From above: the shards, the verbs, the loop, and a reader of JSON, in the place of which a project takes
//! serde_json. The protocol is harness/PROTOCOL.md.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, Write};

// ---- the shards ----------------------------------------------------------------------------------------

#[derive(Default)]
struct Shard {
    emitted: Vec<Receipt>,
    /// Header -> how many receipts it commits to.
    blocks: HashMap<String, usize>,
    finals: HashSet<String>,
    learned: HashSet<String>,
    consumed: HashSet<String>,
    /// Payload and source of what took effect, in order.
    executed: Vec<(String, String)>,
}

#[derive(Clone)]
struct Receipt {
    bytes: String,
    destination: String,
    payload: String,
}

#[derive(Default)]
struct System {
    shards: HashMap<String, Shard>,
    names: Vec<String>,
}

/// What a verb answers with: a value in JSON, or why the system does not take it.
type Answer = Result<String, &'static str>;

impl System {
    fn shard(&mut self, name: &str) -> Result<&mut Shard, &'static str> {
        self.shards.get_mut(name).ok_or("no such shard")
    }

    /// The shard that has produced a header: it begins with the number of that shard.
    fn producer(&mut self, header: &str) -> Option<(String, &mut Shard)> {
        let number = usize::from_str_radix(header.get(..4)?, 16).ok()?;
        let name = self.names.get(number)?.clone();
        let shard = self.shards.get_mut(&name).filter(|s| s.blocks.contains_key(header))?;
        Some((name, shard))
    }

    fn number(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or(0)
    }

    fn emit(&mut self, source: &str, destination: &str, payload: &str) -> Answer {
        let (from, to) = (self.number(source), self.number(destination));
        let shard = self.shard(source)?;
        let bytes = format!("{from:04x}{to:04x}{:08x}{payload}", shard.emitted.len());
        let (destination, payload) = (destination.to_string(), payload.to_string());
        shard.emitted.push(Receipt { bytes: bytes.clone(), destination, payload });
        Ok(text(&bytes))
    }

    fn produce(&mut self, name: &str) -> Answer {
        let number = self.number(name);
        let shard = self.shard(name)?;
        let (height, commits) = (shard.blocks.len() + 1, shard.emitted.len());
        let header = format!("{number:04x}{height:08x}{commits:08x}");
        shard.blocks.insert(header.clone(), commits);
        Ok(text(&header))
    }

    fn finalise(&mut self, header: &str) -> Answer {
        let (_, shard) = self.producer(header).ok_or("not produced")?;
        if !shard.finals.insert(header.to_string()) {
            return Err("already final");
        }
        Ok(text(header))
    }

    fn learn(&mut self, name: &str, header: &str) -> Answer {
        let is_final = self.producer(header).is_some_and(|(_, shard)| shard.finals.contains(header));
        if !is_final {
            return Err("untrusted header");
        }
        self.shard(name)?.learned.insert(header.to_string());
        Ok("null".to_string())
    }

    fn place(&mut self, receipt: &str, header: &str) -> Option<usize> {
        let (_, shard) = self.producer(header)?;
        let commits = shard.blocks[header];
        shard.emitted[..commits].iter().position(|known| known.bytes == receipt)
    }

    fn prove(&mut self, receipt: &str, header: &str) -> Answer {
        self.place(receipt, header).map(|place| text(&format!("{place:08x}"))).ok_or("not committed to")
    }

    fn deliver(&mut self, name: &str, receipt: &str, header: &str, evidence: &str) -> Answer {
        if !self.shard(name)?.learned.contains(header) {
            return Err("untrusted header");
        }
        let place = self.place(receipt, header).filter(|place| format!("{place:08x}") == evidence).ok_or("unproven")?;
        let (source, from) = self.producer(header).ok_or("untrusted header")?;
        let shown = from.emitted[place].clone();
        if shown.destination != name {
            return Err("wrong destination");
        }
        let to = self.shard(name)?;
        if to.consumed.contains(receipt) { return Err("consumed"); }
        to.consumed.insert(shown.bytes);
        to.executed.push((shown.payload, source));
        Ok("null".to_string())
    }

    fn executed(&mut self, name: &str, since: usize) -> Answer {
        let effects = self.shard(name)?.executed.iter().skip(since);
        let told: Vec<String> =
            effects.map(|(payload, source)| format!("{{\"payload\":{},\"source\":{}}}", text(payload), text(source))).collect();
        Ok(format!("[{}]", told.join(",")))
    }
}

// ---- the verbs -----------------------------------------------------------------------------------------

const GREETING: &str = r#"{"protocol":1,"name":"rust","version":"1","batches":true,"verbs":["open","close","emit","produce","prove","deliver","executed","learn","finalise"]}"#;

fn answer(system: &mut System, asked: &Json) -> String {
    let given = |name| asked.get(name).text();
    let said = match given("verb") {
        "hello" => Ok(GREETING.to_string()),
        "open" => {
            let names = asked.get("topology").get("shards").list().iter().map(|name| name.text().to_string());
            let names: Vec<String> = names.collect();
            *system = System { shards: names.iter().map(|name| (name.clone(), Shard::default())).collect(), names };
            Ok("null".to_string())
        }
        "close" => {
            *system = System::default();
            Ok("null".to_string())
        }
        "emit" => system.emit(given("source"), given("destination"), given("payload")),
        "produce" => system.produce(given("shard")),
        "finalise" => system.finalise(given("header")),
        "learn" => system.learn(given("shard"), given("header")),
        "prove" => system.prove(given("receipt"), given("header")),
        "deliver" => {
            let shown = |name| asked.get("delivery").get(name).text();
            system.deliver(shown("destination"), shown("receipt"), shown("header"), shown("evidence"))
        }
        "executed" => system.executed(given("shard"), asked.get("since").number() as usize),
        _ => return format!(r#"{{"id":{},"error":"unknown-verb","message":""}}"#, asked.get("id").number()),
    };
    match said {
        Ok(value) => format!(r#"{{"id":{},"ok":{value}}}"#, asked.get("id").number()),
        Err(reason) => format!(r#"{{"id":{},"refused":{}}}"#, asked.get("id").number(), text(reason)),
    }
}

// ---- the loop ------------------------------------------------------------------------------------------

fn main() -> io::Result<()> {
    let mut system = System::default();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let said = match Json::read(&line?) {
            None => r#"{"id":null,"error":"malformed","message":""}"#.to_string(),
            // Several requests in one line are answered in one line, in their order.
            Some(Json::List(batch)) => {
                let answers: Vec<String> = batch.iter().map(|one| answer(&mut system, one)).collect();
                format!("[{}]", answers.join(","))
            }
            Some(one) => answer(&mut system, &one),
        };
        writeln!(out, "{said}")?;
        out.flush()?;
    }
    Ok(())
}

// ---- JSON: what a line says, as a tree -----------------------------------------------------------------

enum Json {
    Nothing,
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn read(line: &str) -> Option<Json> {
        Json::value(&mut line.chars().peekable())
    }

    fn value(rest: &mut std::iter::Peekable<std::str::Chars>) -> Option<Json> {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        match *rest.peek()? {
            '"' => {
                rest.next();
                let mut text = String::new();
                loop {
                    // Names and digits are plain; what stands behind \u is of no use here.
                    match rest.next()? {
                        '"' => return Some(Json::Text(text)),
                        '\\' => text.push(rest.next()?),
                        c => text.push(c),
                    }
                }
            }
            '[' => Json::until(']', rest, Json::value).map(Json::List),
            '{' => Json::until('}', rest, |rest| {
                let Json::Text(name) = Json::value(rest)? else { return None };
                while rest.next()? != ':' {}
                Some((name, Json::value(rest)?))
            })
            .map(Json::Object),
            _ => {
                let mut word = String::new();
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '-') {
                    word.push(c);
                }
                match word.as_str() {
                    "null" | "true" | "false" => Some(Json::Nothing),
                    number => number.parse().ok().map(Json::Number),
                }
            }
        }
    }

    fn until<T>(
        end: char,
        rest: &mut std::iter::Peekable<std::str::Chars>,
        one: impl Fn(&mut std::iter::Peekable<std::str::Chars>) -> Option<T>,
    ) -> Option<Vec<T>> {
        rest.next();
        let mut found = Vec::new();
        loop {
            while rest.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
            if rest.next_if_eq(&end).is_some() {
                return Some(found);
            }
            found.push(one(rest)?);
        }
    }

    fn get(&self, name: &str) -> &Json {
        let Json::Object(fields) = self else { return &Json::Nothing };
        fields.iter().find(|(known, _)| known == name).map_or(&Json::Nothing, |(_, value)| value)
    }

    fn text(&self) -> &str {
        if let Json::Text(text) = self { text } else { "" }
    }

    fn number(&self) -> i64 {
        if let Json::Number(number) = self { *number } else { 0 }
    }

    fn list(&self) -> &[Json] {
        if let Json::List(list) = self { list } else { &[] }
    }
}

fn text(plain: &str) -> String {
    format!("\"{plain}\"")
}
