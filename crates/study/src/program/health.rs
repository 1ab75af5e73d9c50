//! Health: what the answers so far say of the program as a whole.

use swarmgrad_core::Failure;

/// A run whose first so many evaluations all failed is hopeless.
const HOPELESS: u64 = 10;
/// So many first answers are compared.
const COMPARED: usize = 20;

/// Watches how a program does.
#[derive(Debug, Default)]
pub(super) struct Health {
    resumed: bool,
    max_failures: Option<u64>,
    /// Failures of the program since its last answer.
    row: u64,
    /// Whether it has answered a point.
    spoken: bool,
    broken: Option<String>,
    last: Option<Failure>,
    same: Same,
}

/// Whether the first answers are all the same although the points are not.
#[derive(Debug, Default)]
struct Same {
    answers: usize,
    first: Option<(Vec<f64>, f64)>,
    /// Whether two points differed.
    points_differ: bool,
    values_differ: bool,
}

impl Health {
    pub(super) fn new(resumed: bool, max_failures: Option<u64>) -> Self {
        Health { resumed, max_failures, ..Health::default() }
    }

    /// Whether the program has answered.
    pub(super) fn has_spoken(&self) -> bool {
        self.spoken
    }

    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    pub(super) fn last_failure(&self) -> Option<&Failure> {
        self.last.as_ref()
    }

    /// The program answered, also that the point has no value; what to say where it seems not to look at its input.
    pub(super) fn answered(&mut self, x: &[f64], value: Option<f64>, failure: Option<&Failure>) -> Option<String> {
        (self.row, self.spoken) = (0, true);
        if let Some(failure) = failure {
            self.last = Some(failure.clone());
        }
        let value = value.filter(|value| value.is_finite())?;
        let same = &mut self.same;
        if same.answers >= COMPARED {
            return None;
        }
        same.answers += 1;
        let (point, first) = same.first.get_or_insert_with(|| (x.to_vec(), value));
        same.points_differ |= point != x;
        same.values_differ |= *first != value;
        (same.answers == COMPARED && same.points_differ && !same.values_differ).then(|| {
            format!("the first {COMPARED} answers are all {value}, for different points: does the program look at its input?")
        })
    }

    /// The program failed; `cannot_start` where the system says that it cannot be run at all. `how` says what it must do.
    pub(super) fn failed(&mut self, failure: &Failure, cannot_start: bool, command: &str, how: &str) {
        self.row += 1;
        self.last = Some(failure.clone());
        let hopeless = !self.spoken && (cannot_start || self.row >= HOPELESS);
        if self.broken.is_none() && (hopeless || self.max_failures.is_some_and(|most| self.row >= most)) {
            self.broken = Some(self.explanation(failure, command, how));
        }
    }

    fn explanation(&self, failure: &Failure, command: &str, how: &str) -> String {
        let (detail, stderr) = failure.text().split_once('\n').unwrap_or((failure.text(), ""));
        let of = if self.resumed { " of the resumed run" } else { "" };
        let mut text = format!("--exec '{command}': ");
        text += &match (self.spoken, self.row) {
            (false, 1) => format!("the first evaluation{of} failed: {detail}"),
            (false, row) => format!("the first {row} evaluations{of} all failed, the last one so: {detail}"),
            (true, 1) => format!("an evaluation failed: {detail}"),
            (true, row) => format!("the last {row} evaluations all failed, the last one so: {detail}"),
        };
        text += &match stderr.is_empty() {
            true => "\nIt wrote nothing to its standard error.".into(),
            false => format!("\nThe last it wrote to its standard error:\n{}", indented(stderr)),
        };
        text + "\n" + how
    }
}

/// Text with every line indented by four spaces.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crashed() -> Failure {
        Failure::Crashed("it ended\noh dear".into())
    }

    #[test]
    fn ten_failures_without_an_answer_or_so_many_in_a_row_are_enough() {
        let mut new = Health::new(true, None);
        (0..9).for_each(|_| new.failed(&crashed(), false, "f", "Do so."));
        assert_eq!(new.broken(), None);
        new.failed(&crashed(), false, "f", "Do so.");
        assert_eq!(
            new.broken(),
            Some(
                "--exec 'f': the first 10 evaluations of the resumed run all failed, the last one so: it ended\n\
                 The last it wrote to its standard error:\n    oh dear\nDo so."
            )
        );
        let mut old = Health::new(false, Some(12));
        old.answered(&[0.0], None, Some(&Failure::NotFinite));
        (0..11).for_each(|_| old.failed(&crashed(), true, "f", "Do so."));
        old.answered(&[0.0], Some(1.0), None);
        (0..11).for_each(|_| old.failed(&crashed(), true, "f", "Do so."));
        assert_eq!(old.broken(), None);
        old.failed(&Failure::TimedOut("no answer within 2 s".into()), false, "f", "Do so.");
        let why = old.broken().unwrap();
        assert!(
            why.contains("the last 12 evaluations all failed") && why.contains("nothing to its standard error"),
            "{why}"
        );
    }

    #[test]
    fn equal_answers_are_noticed_once() {
        let note = |verdict: &mut Health, k: usize, value: f64| verdict.answered(&[k as f64], Some(value), None);
        let mut deaf = Health::default();
        let notes: Vec<_> = (0..60).filter_map(|k| note(&mut deaf, k, 3.5)).collect();
        assert_eq!(notes.len(), 1);
        assert!(notes[0].starts_with("the first 20 answers are all 3.5"), "{notes:?}");
        let mut well = Health::default();
        assert!((0..60).all(|k| note(&mut well, k, if k == 11 { 3.0 } else { 3.5 }).is_none()));
        let mut one_point = Health::default();
        assert!((0..60).all(|_| note(&mut one_point, 1, 3.5).is_none()));
    }
}
