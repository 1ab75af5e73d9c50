//! The constraints of a study: those of its test problem, those that its program answers with, and those written as text.

use crate::expression::{Condition, conditions};
use swarmgrad_core::{Constraint, Error, Failure, Result, Space};

/// The constraints of a study in their order: the test problem's own, then those of the texts.
#[derive(Debug, Clone, Default)]
pub struct Constraints {
    list: Vec<Constraint>,
    /// How many of them the test problem has itself.
    own: usize,
    conditions: Vec<Condition>,
    /// Names that a program gives values to.
    answered: Vec<String>,
}

impl Constraints {
    /// Those of the test problem, and those of these texts over the names of the variables, or over `x0`, `x1`, .. where they have
    /// none. Another name stands for a value that a program answers with, if there is a program.
    ///
    /// # Errors
    /// A text that cannot be read, a name that is none, a tolerance below 0.
    pub fn new(
        own: &[Constraint],
        texts: &[String],
        names: &[String],
        space: &Space,
        program: bool,
        tolerance: Option<f64>,
    ) -> Result<Self> {
        let variables = match space.variables() {
            [] => space.dim(),
            variables => variables.len(),
        };
        let mut known: Vec<String> = match names {
            [] => (0..variables).map(|j| format!("x{j}")).collect(),
            names => names.to_vec(),
        };
        let mut all = Vec::new();
        for text in texts {
            all.extend(conditions(text, &mut known)?);
        }
        let answered = known.split_off(variables);
        if let Some(name) = answered.first().filter(|_| !program) {
            return Err(Error::unknown("name in a constraint", name, known.iter().map(String::as_str)));
        }
        let constraint = |condition: &Condition| match condition.equal {
            true => Constraint::equal(condition.name.as_str()),
            false => Constraint::at_most(condition.name.as_str()),
        };
        let list = own.iter().cloned().chain(all.iter().map(constraint));
        let list = match tolerance {
            None => list.collect(),
            Some(tolerance) => list.map(|constraint| constraint.with_tolerance(tolerance)).collect::<Result<_>>()?,
        };
        Ok(Constraints { list, own: own.len(), conditions: all, answered })
    }

    /// Whether there are some, all over the variables alone: they can be had without an evaluation.
    pub fn is_cheap(&self) -> bool {
        !self.list.is_empty() && self.own == 0 && self.answered.is_empty()
    }

    /// All of them.
    pub fn list(&self) -> &[Constraint] {
        &self.list
    }

    /// Names of the values that a program has to answer with.
    pub fn answered(&self) -> &[String] {
        &self.answered
    }

    /// All values at a point, from what the problem or program has said: the values of the test problem's own constraints, or those
    /// of the names in their order.
    ///
    /// # Errors
    /// Another number of values than there should be.
    pub fn complete(&self, space: &Space, x: &[f64], said: Vec<f64>) -> std::result::Result<Vec<f64>, Failure> {
        if self.list.is_empty() {
            return Ok(said);
        }
        let expected = self.own + self.answered.len();
        if said.len() != expected {
            let names = self.answered.join(", ");
            let why = format!("it answered with {} values of constraints, expected {expected}: {names}", said.len());
            return Err(Failure::Unreadable(why));
        }
        let mut values = space.numbers(x);
        values.extend_from_slice(&said[self.own..]);
        let mut all = said;
        all.truncate(self.own);
        all.extend(self.conditions.iter().map(|condition| condition.value(&values)));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_answers_make_one_list() {
        let space: Space = Space::cube(2, 0.0, 1.0).unwrap();
        let texts = ["x0 + x1 <= 1".to_owned(), "stress / 2 <= x0".to_owned(), "balance = 0".to_owned()];
        let found = Constraints::new(&[], &texts, &[], &space, true, None).unwrap();
        assert_eq!(found.answered(), ["stress", "balance"]);
        assert_eq!(found.complete(&space, &[0.5, 0.25], vec![3.0, 0.125]), Ok(vec![-0.25, 1.0, 0.125]));
        let why = found.complete(&space, &[0.5, 0.25], vec![3.0]).unwrap_err();
        assert!(why.text().contains("1 values of constraints, expected 2: stress, balance"), "{}", why.text());
        let wrong = Constraints::new(&[], &texts, &[], &space, false, None).unwrap_err().to_string();
        assert!(wrong.starts_with("unknown name in a constraint 'stress'"), "{wrong}");
        let names = ["a".to_owned(), "b".to_owned()];
        let named = Constraints::new(&[], &["a >= b".to_owned()], &names, &space, false, Some(0.5)).unwrap();
        assert_eq!((named.list()[0].name(), named.list()[0].tolerance()), ("a >= b", 0.5));
        assert!(Constraints::new(&[], &["a >= b".to_owned()], &names, &space, false, Some(-1.0)).is_err());
    }
}
