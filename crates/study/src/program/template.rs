//! Commands with places for the point.

use super::protocol::shell_word;
use std::path::{Path, PathBuf};
use swarmgrad_core::{Error, Id, Result, Typed};

/// A text with places in braces: `{0}`, `{1}`, .. or the names of the variables, `{x}` for all of them, `{in}` and `{out}` for
/// files, `{id}`, `{worker}`, `{scratch}`. Two braces, `{{0}}`, stand for `{0}` itself, and `${0}` is the shell's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Variable(usize),
    Point,
    In,
    Out,
    Id,
    Worker,
    Scratch,
}

/// What is put into the places.
pub(super) struct Places<'a> {
    pub(super) x: &'a [Typed],
    pub(super) id: Id,
    pub(super) worker: usize,
    /// A folder of the worker's own; there is none where nothing asks for it.
    pub(super) scratch: &'a Path,
}

impl Places<'_> {
    /// The file that holds the point.
    pub(super) fn input(&self) -> PathBuf {
        self.scratch.join(format!("{}.in.json", self.id))
    }

    /// The file in which the answer is expected.
    pub(super) fn output(&self) -> PathBuf {
        self.scratch.join(format!("{}.out", self.id))
    }
}

impl Template {
    /// Reads a text; `what` is its name in errors.
    ///
    /// # Errors
    /// A number that no variable has, beside places that are right.
    pub(super) fn parse(what: &str, text: &str, dim: usize, names: &[String]) -> Result<Self> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        let mut beyond = None;
        while let Some(open) = rest.find('{') {
            let (before, from) = rest.split_at(open);
            plain.push_str(before);
            let word = from[1..].split('}').next().unwrap_or_default();
            let closed = from[1..].len() > word.len();
            let piece = Piece::of(word, dim, names).filter(|_| closed && !plain.ends_with('$'));
            // `{{0}}` is the text `{0}`.
            let inner = from[1..].strip_prefix('{').and_then(|inner| inner.split_once("}}"));
            if let Some((word, after)) = inner.filter(|(word, _)| Piece::of(word, dim, names).is_some()) {
                plain += &format!("{{{word}}}");
                rest = after;
            } else if let Some(piece) = piece {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(piece);
                rest = &from[word.len() + 2..];
            } else {
                if closed && !plain.ends_with('$') && !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
                    beyond.get_or_insert(word);
                }
                plain.push('{');
                rest = &from[1..];
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        let template = Template { pieces };
        match beyond.filter(|_| template.has_places()) {
            Some(number) => {
                let rule = format!("the variables are numbered from 0 to {}", dim.saturating_sub(1));
                Err(Error::parameter(format!("{what}, place"), format!("{{{number}}}"), rule))
            }
            None => Ok(template),
        }
    }

    /// Whether anything is put in.
    pub(super) fn has_places(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// Whether it names a file or folder of the worker's.
    pub(super) fn has_files(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::In | Piece::Out | Piece::Scratch))
    }

    /// Whether it names the file that holds the point.
    pub(super) fn has_input(&self) -> bool {
        self.pieces.contains(&Piece::In)
    }

    /// The text for the shell.
    pub(super) fn command(&self, places: &Places<'_>) -> String {
        self.fill(places, |path| shell_word(&path.to_string_lossy()))
    }

    /// The text as a path.
    pub(super) fn path(&self, places: &Places<'_>) -> PathBuf {
        self.fill(places, |path| path.to_string_lossy().into_owned()).into()
    }

    fn fill(&self, places: &Places<'_>, path: impl Fn(&Path) -> String) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable(j) => shown(&places.x[*j]),
            Piece::Point => places.x.iter().map(shown).collect::<Vec<_>>().join(" "),
            Piece::In => path(&places.input()),
            Piece::Out => path(&places.output()),
            Piece::Id => places.id.to_string(),
            Piece::Worker => places.worker.to_string(),
            Piece::Scratch => path(places.scratch),
        };
        self.pieces.iter().map(text).collect()
    }
}

/// A value for the shell, which takes numbers as they are.
fn shown(value: &Typed) -> String {
    match value {
        Typed::Word(word) => shell_word(word),
        other => other.to_string(),
    }
}

impl Piece {
    /// The place of that name; the variables' names come first.
    fn of(word: &str, dim: usize, names: &[String]) -> Option<Self> {
        if let Some(j) = names.iter().position(|name| name == word) {
            return Some(Piece::Variable(j));
        }
        Some(match word {
            "x" => Piece::Point,
            "in" => Piece::In,
            "out" => Piece::Out,
            "id" => Piece::Id,
            "worker" => Piece::Worker,
            "scratch" => Piece::Scratch,
            _ if word.bytes().all(|b| b.is_ascii_digit()) => Piece::Variable(word.parse().ok().filter(|j| *j < dim)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let x = [0.5, -1e-20].map(Typed::Number);
        let places = Places { x: &x, id: Id(7), worker: 3, scratch: Path::new("/tmp/a b") };
        Template::parse("--exec", text, 2, &names).unwrap().command(&places)
    }

    #[test]
    fn places_are_filled_and_other_braces_stay() {
        assert_eq!(filled("./sim --x {0} --y={1} {x}", &[]), "./sim --x 0.5 --y=-1e-20 0.5 -1e-20");
        assert_eq!(filled("sim {in} {out} {id}-{worker}", &[]), "sim '/tmp/a b/7.in.json' '/tmp/a b/7.out' 7-3");
        assert_eq!(filled("sim {lr} {x}", &["lr", "x"]), "sim 0.5 -1e-20");
        for same in ["awk '{print $1}'", "echo ${0} ${x} {", "grep -E 'a{4}'", "{}", "a }{", "python -c '{1:2}'"] {
            assert_eq!(filled(same, &[]), same);
        }
        assert_eq!(filled("grep '{{1}}' {{print}}", &[]), "grep '{1}' {{print}}");
    }

    #[test]
    fn a_variable_that_does_not_exist_is_named() {
        let error = Template::parse("--exec", "sim {0} {2}", 2, &[]).unwrap_err().to_string();
        assert_eq!(error, "--exec, place = {2}: the variables are numbered from 0 to 1");
        let alone = Template::parse("--exec", "grep 'a{2}'", 2, &[]).unwrap();
        assert!(!alone.has_places() && !alone.has_files());
    }
}
