//! A plan made ready: its rows read, every choice made and checked.

use super::plan::{SEEDS, TEST_SHARE, digest_of, has_swarm};
use super::{
    Learner, Origin, RowSource, RunIndex, Saved, SeedRows, SwarmTrainer, Trainer, Training, TrainingPlan, check_fit,
};
use swarmgrad_core::{Error, Result, Workers};

/// A plan whose rows have been read and whose every choice is made and checked.
pub struct PreparedPlan {
    /// Which rows.
    pub origin: Origin,
    /// The rows.
    pub source: RowSource,
    /// The model to continue from.
    pub loaded: Option<Saved>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// One an optimiser or method; the seed is set for each run.
    pub trainings: Vec<Training>,
    /// From here on the optimisers are controls.
    pub controls_from: usize,
}

impl PreparedPlan {
    /// The rows of a seed.
    ///
    /// # Errors
    /// Those of [`RowSource::rows`].
    pub fn rows(&self, seed: u64) -> Result<SeedRows> {
        self.source.rows(&self.origin, self.loaded.as_ref(), seed)
    }

    /// A network, or a swarm of them, before its first step.
    ///
    /// # Errors
    /// Those of [`Trainer::new`], [`Trainer::start_from`] and [`SwarmTrainer::new`].
    pub fn learner(&self, training: &Training, rows: &SeedRows, workers: Workers) -> Result<Learner> {
        if training.swarm.is_some() {
            return Ok(Learner::Swarm(Box::new(SwarmTrainer::new(training, rows.train.clone())?.workers(workers))));
        }
        let trainer = Trainer::new(training, &rows.train)?.workers(workers);
        Ok(Learner::Optimizer(Box::new(match &self.loaded {
            Some(saved) => trainer.start_from(&saved.weights)?,
            None => trainer,
        })))
    }

    /// How a run is trained.
    pub fn training(&self, index: RunIndex) -> Training {
        Training { seed: self.seeds[index.seed], ..self.trainings[index.training].clone() }
    }
}

impl TrainingPlan {
    /// Reads the rows and makes every choice; all is checked before anything runs.
    ///
    /// # Errors
    /// A field outside its range, an unknown name, fields that exclude each other, a file that cannot be read, a loss, network or
    /// optimiser that does not fit the rows. The error names the field.
    pub fn prepare(&self) -> Result<PreparedPlan> {
        self.check()?;
        let loaded = self.load.as_deref().map(Saved::read).transpose()?;
        let mut options = self.preset.options();
        options.standardise &= !self.raw;
        options.standardise_target = options.standardise;
        let (source, digest) = self.source(loaded.as_ref())?;
        if let (RowSource::Images(_), Some(share)) = (&source, self.test_share) {
            return Err(Error::parameter("test_share", share, format!("{} has a test part of its own", self.data)));
        }
        let origin = Origin {
            data: self.data.clone(),
            digest,
            preset: self.preset,
            options,
            test_share: self.test_share.unwrap_or(TEST_SHARE),
            limits: [self.limit, self.test_limit],
            from: self.load.as_deref().map(digest_of).transpose()?,
        };
        let seeds = match (&self.seeds, &loaded) {
            (Some(seeds), _) => seeds.clone(),
            (None, Some(saved)) => vec![saved.training.seed],
            (None, None) => (0..SEEDS).collect(),
        };
        let mut plan = PreparedPlan { origin, source, loaded, seeds, trainings: Vec::new(), controls_from: 0 };
        let first = plan.rows(plan.seeds[0])?;
        let base = self.training(plan.loaded.as_ref(), &first.train)?;
        check_fit(&base, &first.train.targets)?;
        if self.methods.is_empty() {
            let (names, controls_from) = self.optimizers(plan.loaded.as_ref())?;
            plan.trainings = names.iter().map(|name| self.with_optimizer(&base, name)).collect::<Result<_>>()?;
            plan.controls_from = controls_from;
        } else {
            plan.trainings = self.methods.iter().map(|name| self.with_method(&base, name)).collect::<Result<_>>()?;
            plan.controls_from = self.methods.len();
        }
        if let Some(field) = self.swarm_field()
            && !plan.trainings.iter().any(|training| has_swarm(&training.optimizer))
        {
            let rule = "needs an optimiser with a swarm: adaswarm, adaswarm_prox or sgd_swarm";
            return Err(Error::parameter(field, "given", rule));
        }
        for training in &plan.trainings {
            plan.learner(training, &first, Workers::default())?;
        }
        Ok(plan)
    }
}
