//! Optimisers of networks by name: a rule for the weights ([`Rule`], one fused pass over flat slices) and the gradient that feeds it.
//!
//! The tensor library has most of the rules too, as a dozen tensor operations for each parameter; on networks of the papers' size
//! those cost more than the network. Its versions are the independent implementation that ours are tested against.

pub use swarmgrad_dense::optim::{
    AdaDelta, AdaGrad, Adam, DiffGrad, Entry, OPTIMIZERS, RmsProp, Rule, Sgd, Text, entry,
};
pub use swarmgrad_dense::supervision::{Backend, Stepped, Supervision};
