//! The methods of this crate by name.

use crate::distribution::{
    bipop_cma_es, cma_es, cr_fm_nes, ipop_cma_es, lq_cma_es, open_es, pgpe, sep_cma_es, snes, xnes,
};
use crate::evolution::{de, ga, jade, jde, jso, lshade, random_search, shade};
use crate::front::{Evolving, mo_cbo, nsga2, sms_emoa};
use crate::gradient::adaswarm;
use crate::local::{LocalMethod, coordinate_search, least_squares, nelder_mead, quasi_newton, sqp, trust_region};
use crate::method::{Entry, Handling, find};
use crate::model::gp;
use crate::particle::{Particles, adam_cbo, cbo, cbs, clpso, cluster_cbo, consensus_hopping, empso, mirror_cbo, mpso};
use crate::particle::{polar_cbo, pso, pso_sde, rempso, spso2011};
use crate::partition::direct;
use swarmgrad_core::Result;

/// One line of the table.
macro_rules! algorithm {
    ($A32:ty, $A64:ty, $summary:literal, $paper:literal, $presets:expr) => {
        Entry::of::<$A32, $A64>($summary, $paper, $presets)
    };
}

/// The same for a particle method.
macro_rules! method {
    ($M32:ty, $M64:ty, $summary:literal, $paper:literal, $presets:expr) => {
        algorithm!(Particles<f32, $M32>, Particles<f64, $M64>, $summary, $paper, $presets)
    };
}

/// The same for a local search.
macro_rules! local {
    ($W:ty, $summary:literal, $paper:literal) => {
        algorithm!(LocalMethod<f32, $W>, LocalMethod<f64, $W>, $summary, $paper, &[])
    };
}

/// The same for a population of several objectives.
macro_rules! front {
    ($S:ty, $summary:literal, $paper:literal) => {
        algorithm!(Evolving<f32, $S>, Evolving<f64, $S>, $summary, $paper, &[])
    };
}

const PAPER: &str = r#"{"c1": 0.8, "c2": 0.9, "beta": 0.9}"#;
const TORCHSWARM: &str = r#"{"c1": 2.0, "c2": 2.0, "beta": 0.9, "draws": "per_particle"}"#;

/// All methods of this crate.
pub static ENTRIES: &[Entry] = &[
    method!(
        pso::Pso,
        pso::Pso,
        "PSO with inertia weight",
        "Shi & Eberhart 1998; AdaSwarm eqs (1)-(2)",
        &[
            (
                "local",
                "four neighbours and a speed limit (Kennedy & Mendes 2002; Eberhart & Shi 2000): slower, and further",
                r#"{"particles": 30, "topology": "von_neumann", "velocity_limit": 0.2}"#
            ),
            (
                "torchswarm",
                "defaults of torchswarm 0.0.1",
                r#"{"inertia": 0.5, "c1": 2.0, "c2": 2.0, "draws": "per_particle"}"#
            ),
        ]
    ),
    method!(pso::PsoConstriction, pso::PsoConstriction, "PSO with constriction factor", "Clerc & Kennedy 2002", &[]),
    method!(mpso::Mpso<f32>, mpso::Mpso<f64>, "momentum PSO", "AdaSwarm eq. (3)", &[]),
    method!(
        empso::Empso<f32>,
        empso::Empso<f64>,
        "exponentially averaged momentum PSO",
        "AdaSwarm eqs (4)-(6)",
        &[
            ("paper", "the AdaSwarm paper's numbers (stagnate from ten dimensions on)", PAPER),
            ("torchswarm", "defaults of torchswarm 0.0.1 (unstable in mean square)", TORCHSWARM),
        ]
    ),
    method!(
        empso::EmpsoPrinted<f32>,
        empso::EmpsoPrinted<f64>,
        "EMPSO as Algorithm 1 prints it",
        "AdaSwarm Algorithm 1",
        &[("paper", "the AdaSwarm paper's numbers", PAPER),]
    ),
    method!(
        adaswarm::AdaSwarm<f32>,
        adaswarm::AdaSwarm<f64>,
        "Adam on the gradient of a swarm, one move of the swarm a step",
        "AdaSwarm Algorithm 2, eqs (4)-(6), (15)",
        &[
            (
                "paper",
                "the AdaSwarm paper's numbers (stagnate from ten dimensions on)",
                r#"{"c1": 0.8, "c2": 0.9, "beta": 0.9, "particles": 10, "kappa": "paper", "draws": "per_particle"}"#
            ),
            (
                "paper-text",
                "Algorithm 2 as printed: no bias correction",
                r#"{"c1": 0.8, "c2": 0.9, "beta": 0.9, "particles": 10, "kappa": "paper", "draws": "per_particle", "text": "uncorrected"}"#
            ),
        ]
    ),
    method!(
        rempso::Rempso<f32>,
        rempso::Rempso<f64>,
        "EMPSO with rotated pulls",
        "AdaSwarm supplement 5; Hatanaka et al. 2009",
        &[
            ("paper", "the AdaSwarm paper's numbers", PAPER),
            (
                "paper-code",
                "the published program: element-wise products, no rotation",
                r#"{"c1": 0.9, "c2": 0.8, "beta": 0.1, "rotation": "literal", "redraw": "particle"}"#
            ),
        ]
    ),
    method!(
        spso2011::Spso2011<f32>,
        spso2011::Spso2011<f64>,
        "Standard PSO 2011",
        "Clerc 2012; Zambrano-Bigiarini et al. 2013",
        &[]
    ),
    method!(clpso::Clpso<f32>, clpso::Clpso<f64>, "comprehensive learning PSO", "Liang et al. 2006", &[]),
    method!(
        pso_sde::PsoSde<f32>,
        pso_sde::PsoSde<f64>,
        "mean-field PSO as a stochastic differential equation",
        "Huang, Qiu & Riedl 2023, eqs (1.2)-(1.6), (4.15)",
        &[
            ("memoryless", "without memory (eq. 2.1)", r#"{"memory": "none"}"#),
            (
                "cbo_memory",
                "consensus-based optimisation with memory: no inertia",
                r#"{"inertia": 0.0, "sigma2": 8.0}"#
            ),
            (
                "paper-mnist",
                "the paper's numbers for networks, epochs of a thousand batches, with the published program's kick",
                r#"{"inertia": 0.2, "dt": 0.1, "alpha": 50.0, "sigma2": 0.632455532033676, "epoch": 1000, "cooling": true, "kick": 1e-5}"#
            ),
        ]
    ),
    method!(
        cbo::Cbo<f32>,
        cbo::Cbo<f64>,
        "consensus-based optimisation",
        "Pinnau et al. 2017; Carrillo et al. 2021",
        &[]
    )
    .told_by(Handling::Penalty),
    method!(
        polar_cbo::PolarCbo<f32>,
        polar_cbo::PolarCbo<f64>,
        "polarised CBO: a consensus for each particle, several minima",
        "Bungert, Roith & Wacker 2024",
        &[]
    )
    .told_by(Handling::Penalty),
    method!(
        cluster_cbo::ClusterCbo<f32>,
        cluster_cbo::ClusterCbo<f64>,
        "clustered CBO: a consensus for each cluster, several minima",
        "Bungert, Roith & Wacker 2024",
        &[]
    )
    .told_by(Handling::Penalty),
    method!(
        mirror_cbo::MirrorCbo<f32>,
        mirror_cbo::MirrorCbo<f64>,
        "mirror CBO: on a ball, simplex, sphere, Stiefel manifold, or sparse",
        "Bungert, Hoffmann, Kim & Roith 2025",
        &[]
    )
    .told_by(Handling::Penalty),
    method!(
        adam_cbo::AdamCbo<f32>,
        adam_cbo::AdamCbo<f64>,
        "CBO with Adam's moments of the drift",
        "Chen, Jin & Lyu 2022",
        &[]
    )
    .told_by(Handling::Penalty),
    method!(
        cbs::Cbs<f32>,
        cbs::Cbs<f64>,
        "consensus-based sampling, of exp(-E) or towards its minimum",
        "Carrillo, Hoffmann, Stuart & Vaes 2022",
        &[(
            "optimise",
            "towards the minimum, with alpha from the effective sample size",
            r#"{"aim": "optimise", "sample_size": 0.5}"#
        ),]
    )
    .told_by(Handling::Penalty),
    method!(
        consensus_hopping::ConsensusHopping<f32>,
        consensus_hopping::ConsensusHopping<f64>,
        "consensus hopping: samples about the consensus",
        "Riedl, Klock, Geldhauser & Fornasier 2023",
        &[]
    )
    .told_by(Handling::Penalty),
    method!(
        de::De,
        de::De,
        "differential evolution",
        "Storn & Price 1997",
        &[("current-to-pbest", "mutation towards the best tenth, as in JADE", r#"{"mutation": "current_to_pbest"}"#)]
    ),
    method!(jde::Jde, jde::Jde, "jDE: DE whose individuals carry their F and CR", "Brest et al. 2006", &[]),
    method!(jade::Jade<f32>, jade::Jade<f64>, "JADE: DE that learns F and CR", "Zhang & Sanderson 2009", &[]),
    method!(
        shade::Shade<f32>,
        shade::Shade<f64>,
        "SHADE: DE with a memory of what succeeded",
        "Tanabe & Fukunaga 2013",
        &[]
    ),
    method!(
        lshade::Lshade<f32>,
        lshade::Lshade<f64>,
        "L-SHADE: SHADE whose population shrinks over the budget",
        "Tanabe & Fukunaga 2014",
        &[]
    ),
    method!(
        jso::Jso<f32>,
        jso::Jso<f64>,
        "jSO: L-SHADE with numbers bounded by the stage of the run",
        "Brest, Maucec & Boskovic 2017",
        &[]
    ),
    method!(
        ga::Ga<f32>,
        ga::Ga<f64>,
        "genetic algorithm: SBX, polynomial mutation, (mu + lambda)",
        "Deb & Agrawal 1995; Deb & Goyal 1996",
        &[]
    ),
    method!(
        random_search::RandomSearch,
        random_search::RandomSearch,
        "random search, the yardstick below all",
        "folklore",
        &[]
    ),
    algorithm!(cma_es::Cma<f32>, cma_es::Cma<f64>, "CMA-ES with active update, one run", "Hansen 2016", &[])
        .told_by(Handling::Lagrangian),
    algorithm!(
        ipop_cma_es::IpopCmaEs<f32>,
        ipop_cma_es::IpopCmaEs<f64>,
        "CMA-ES, restarted with a doubled population",
        "Auger & Hansen 2005",
        &[]
    )
    .told_by(Handling::Lagrangian),
    algorithm!(
        bipop_cma_es::BipopCmaEs<f32>,
        bipop_cma_es::BipopCmaEs<f64>,
        "CMA-ES, restarted with large and small populations",
        "Hansen 2009",
        &[]
    )
    .told_by(Handling::Lagrangian),
    algorithm!(
        lq_cma_es::LqCmaEs<f32>,
        lq_cma_es::LqCmaEs<f64>,
        "CMA-ES ranked by a quadratic model, restarted with a doubled population: for dear objectives",
        "Hansen 2019",
        &[]
    ),
    algorithm!(
        sep_cma_es::SepCma<f32>,
        sep_cma_es::SepCma<f64>,
        "CMA-ES with a diagonal matrix, in linear time",
        "Ros & Hansen 2008",
        &[]
    )
    .told_by(Handling::Lagrangian),
    algorithm!(
        cr_fm_nes::CrFmNesSamples<f32>,
        cr_fm_nes::CrFmNesSamples<f64>,
        "natural evolution strategy for thousands of variables, in linear time",
        "Nomura & Ono 2022",
        &[]
    )
    .in_single::<cr_fm_nes::CrFmNesSamples<f32>>()
    .told_by(Handling::Lagrangian),
    algorithm!(
        xnes::XnesSamples<f32>,
        xnes::XnesSamples<f64>,
        "exponential natural evolution strategy",
        "Glasmachers et al. 2010",
        &[]
    ),
    algorithm!(
        snes::SnesSamples<f32>,
        snes::SnesSamples<f64>,
        "separable natural evolution strategy",
        "Schaul et al. 2011",
        &[]
    )
    .in_single::<snes::SnesSamples<f32>>()
    .told_by(Handling::Lagrangian),
    algorithm!(
        open_es::OpenEsSamples<f32>,
        open_es::OpenEsSamples<f64>,
        "OpenAI-ES: Adam on the gradient of the smoothed objective",
        "Salimans et al. 2017",
        &[]
    )
    .in_single::<open_es::OpenEsSamples<f32>>(),
    algorithm!(
        pgpe::PgpeSamples<f32>,
        pgpe::PgpeSamples<f64>,
        "parameter-exploring policy gradients with mirrored samples",
        "Sehnke et al. 2010",
        &[]
    )
    .in_single::<pgpe::PgpeSamples<f32>>(),
    // Several objectives.
    front!(
        nsga2::Nsga2,
        "NSGA-II: several objectives, by fronts and crowding distance",
        "Deb, Pratap, Agarwal & Meyarivan 2002"
    ),
    front!(
        sms_emoa::SmsEmoa,
        "SMS-EMOA: several objectives, by what a point adds to the hypervolume",
        "Beume, Naujoks & Emmerich 2007"
    ),
    algorithm!(
        mo_cbo::MoCbo<f32>,
        mo_cbo::MoCbo<f64>,
        "consensus-based optimisation of several objectives, each particle with weights of its own",
        "Borghi, Herty & Pareschi 2022, 2023",
        &[("paper", "the papers' time step, for thousands of steps", r#"{"dt": 0.01}"#)]
    ),
    // Local search.
    local!(
        quasi_newton::QuasiNewton,
        "quasi-Newton descent in a box, derivatives by differences",
        "Nocedal & Wright 2006; Powell 1978"
    ),
    local!(
        coordinate_search::CoordinateSearch,
        "global line searches along all variables at once, for separable functions",
        "Langerman et al. 1994; Baudis & Posik 2015"
    ),
    local!(
        nelder_mead::NelderMead,
        "Nelder-Mead simplex with adaptive parameters",
        "Nelder & Mead 1965; Gao & Han 2012"
    ),
    local!(
        trust_region::TrustRegion,
        "quadratic models that interpolate values, in a trust region",
        "Powell 2004, 2006, 2009"
    ),
    local!(
        least_squares::LeastSquares,
        "fits of residuals: Levenberg and Marquardt's steps in the box, with errors of the parameters",
        "More 1978; Broyden 1965"
    ),
    local!(
        sqp::Sqp,
        "quadratic programmes under constraints, derivatives by differences",
        "Kraft 1988; Powell 1978; Goldfarb & Idnani 1983"
    ),
    algorithm!(
        direct::Direct<f32>,
        direct::Direct<f64>,
        "DIRECT: rectangles that may hold the minimum are divided",
        "Jones, Perttunen & Stuckman 1993; Gablonsky & Kelley 2001",
        &[("original", "sizes are diagonals, as in the paper of 1993", r#"{"locally_biased": false}"#)]
    ),
    algorithm!(
        gp::Gp<f32>,
        gp::Gp<f64>,
        "Bayesian optimisation by a Gaussian process in a trust region, for dear objectives",
        "Jones, Schonlau & Welch 1998; Eriksson et al. 2019",
        &[]
    ),
];

/// The method of this crate called `name`; an unknown name gets the nearest right one.
///
/// # Errors
/// There is no such method.
pub fn entry(name: &str) -> Result<&'static Entry> {
    find(ENTRIES.iter(), name)
}
