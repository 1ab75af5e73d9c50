//! A plan made ready: its rows read, every choice made and checked.

use super::plan::{SEEDS, TEST_SHARE, digest_of, has_swarm};
use super::{
    Figures, Learner, Origin, RowSource, RunIndex, Saved, SeedRows, SwarmTrainer, TrainedRun, Trainer, Training,
    TrainingPlan, check_fit, constant_outputs, repeated, score,
};
use crate::data::Dataset;
use crate::loss;
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
    /// Whether the rows are those of a file, not of the catalogue.
    pub from_file: bool,
}

impl PreparedPlan {
    /// The rows of a seed.
    ///
    /// # Errors
    /// Those of [`RowSource::rows`].
    pub fn rows(&self, seed: u64) -> Result<SeedRows> {
        self.source.rows(&self.origin, self.loaded.as_ref(), seed)
    }

    /// What is odd about the rows of a file, for people.
    pub fn notices(&self) -> &[String] {
        match &self.source {
            RowSource::Table(table) if self.from_file => &table.notices,
            _ => &[],
        }
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

    /// What the best constant of the training rows comes to, for each seed: the dullest answer, which a network must beat to be worth
    /// anything. The loss is that of the plan.
    ///
    /// # Errors
    /// Those of [`PreparedPlan::rows`], and a loss that is computed by a program and fails.
    pub fn constants(&self) -> Result<Vec<TrainedRun>> {
        let training = &self.trainings[0];
        let output = training.architecture.output();
        let of_seed = |&seed: &u64| {
            let rows = self.rows(seed)?;
            let loss = loss::entry(&training.loss)?.build(rows.train.outputs());
            let constant = constant_outputs(&*loss, &rows.train, output);
            let judged = |part: &Dataset| -> Result<Option<Figures>> {
                let (outputs, targets) = (repeated(&constant, part.len()), part.target_rows());
                let score = score(&*loss, &outputs, &targets);
                loss.check()?;
                let figures = Figures::of_outputs(score, output, &outputs, &targets, &rows.preprocessing);
                Ok((!part.is_empty()).then_some(figures))
            };
            let none = || Error::parameter("rows", 0, "training needs at least one row");
            let train = judged(&rows.train)?.ok_or_else(none)?;
            Ok(TrainedRun {
                epochs: 0,
                steps: 0,
                evaluations: 0,
                seconds: 0.0,
                squared_error: 0,
                rows: [rows.train.len(), rows.test.len()],
                best_epoch: None,
                validation: judged(&rows.validation)?,
                train,
                test: judged(&rows.test)?,
                curve: Vec::new(),
            })
        };
        self.seeds.iter().map(of_seed).collect()
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
            validation: self.validation,
            limits: [self.limit, self.test_limit],
            from: self.load.as_deref().map(digest_of).transpose()?,
        };
        let seeds = match (&self.seeds, &loaded) {
            (Some(seeds), _) => seeds.clone(),
            (None, Some(saved)) => vec![saved.training.seed],
            (None, None) => (0..SEEDS).collect(),
        };
        let from_file = super::plan::as_file(&self.data).is_some();
        let mut plan =
            PreparedPlan { origin, source, loaded, seeds, trainings: Vec::new(), controls_from: 0, from_file };
        let first = plan.rows(plan.seeds[0])?;
        let base = self.training(plan.loaded.as_ref(), &first.train)?;
        check_fit(&base, &first.train.targets)?;
        if self.methods.is_empty() {
            let (names, controls_from) = self.optimizers(plan.loaded.as_ref(), &base.loss)?;
            let regression = first.train.labels().is_none();
            plan.trainings =
                names.iter().map(|name| self.with_optimizer(&base, name, regression)).collect::<Result<_>>()?;
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
