//! Tests that lengths, scales, masks and hatches of figures match the data. The appearance is not tested.

use surmise::report::draw::curves::{Curve, Curves, Key, Panel, Point};
use surmise::report::draw::dots::{DotRow, Dots};
use surmise::report::draw::heatmap::{HeatCell, Heatmap, Heatmaps, share_scales};
use surmise::report::draw::scatter::{BaselinePoints, Pair, Scatter};

/// The numbers of an attribute of all elements of a kind, in document order.
fn numbers(svg: &str, tag: &str, attribute: &str) -> Vec<f64> {
    let opening = format!("<{tag} ");
    let elements = svg.split(opening.as_str()).skip(1);
    let value = |element: &str| {
        let (_, rest) = element.split_once(&format!("{attribute}=\"")).expect("the attribute");
        rest.split('"').next().expect("a value").parse::<f64>().expect("a number")
    };
    elements.map(|element| value(element.split("/>").next().expect("an element"))).collect()
}

fn scatter(pairs: &[(f64, f64)]) -> Scatter {
    let pair = |(measured, predicted): &(f64, f64)| {
        let interval = Some((predicted - 0.1, predicted + 0.1));
        Pair { name: 0, measured: *measured, predicted: *predicted, interval }
    };
    Scatter {
        pairs: pairs.iter().map(pair).collect(),
        names: vec!["a".into()],
        unit: "share".into(),
        baselines: vec![],
        notes: vec![],
    }
}

#[test]
fn one_unit_has_one_length_on_both_axes_and_the_identity_line_goes_through_equal_values() {
    // The range of the measurements is ten times the range of the predictions.
    let figure = scatter(&[(0.0, 0.45), (1.0, 0.55), (0.5, 0.5)]);
    let places = figure.places();
    let along = f64::from(places[1].0 - places[0].0);
    let up = f64::from(places[0].1 - places[1].1);
    assert!((up / along - 0.1).abs() < 0.005, "{places:?}");
    // The identity line is one element from corner to corner, and the point of equal values lies on it.
    let svg = figure.figure().expect("a figure").svg().to_owned();
    let lines: Vec<&str> = svg.split("<polyline ").skip(1).collect();
    let ends = |line: &str| {
        let (_, rest) = line.split_once("points=\"").expect("points");
        let numbers = rest.split('"').next().expect("a value").split([' ', ',']);
        numbers.filter_map(|number| number.parse::<f64>().ok()).collect::<Vec<f64>>()
    };
    let is_on = |line: &Vec<f64>| {
        let [x0, y0, x1, y1] = line[..] else { return false };
        let (x, y) = (f64::from(places[2].0), f64::from(places[2].1));
        x1 - x0 == y0 - y1 && x1 > x0 && ((x - x0) - (y0 - y)).abs() <= 1.0
    };
    let found = lines.iter().map(|line| ends(line)).filter(is_on).count();
    assert_eq!(found, 1, "{svg}");
}

#[test]
fn a_measurement_outside_its_interval_is_an_open_point() {
    // An open point is a disc with a white disc on it. The legend contains another open point.
    let white = |figure: &Scatter| {
        let svg = figure.figure().expect("a figure").svg().to_owned();
        svg.split("<circle ").skip(1).filter(|circle| circle.contains("fill=\"#FFFFFF\"")).count()
    };
    assert_eq!(white(&scatter(&[(0.5, 0.5), (0.3, 0.35)])), 0);
    assert_eq!(white(&scatter(&[(0.5, 0.5), (0.3, 0.6)])), 2);
}

#[test]
fn a_better_baseline_is_drawn_and_named() {
    let mut figure = scatter(&[(0.5, 0.6), (0.2, 0.4)]);
    let without = figure.figure().expect("a figure").svg().matches("<polygon").count();
    let points = vec![(0.5, 0.5), (0.2, 0.21)];
    figure.baselines.push(BaselinePoints { name: "size".into(), points });
    let svg = figure.figure().expect("a figure").svg().to_owned();
    assert_eq!(svg.matches("<polygon").count(), without + 3, "two points and the legend");
    assert!(svg.contains("baseline: size"));
}

#[test]
fn the_legend_of_many_names_is_lower_than_the_plot() {
    let mut figure = scatter(&[(0.5, 0.6), (0.2, 0.4)]);
    figure.names = (0..7).map(|k| format!("a family with a long name {k}")).collect();
    figure.notes = vec!["n = 2 predictions of 2 models; mean absolute error 0.150 share".into()];
    let svg = figure.figure().expect("a figure").svg().to_owned();
    let view: Vec<f64> = svg
        .split("viewBox=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a box")
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect();
    // The plot is 716 units high; text and legend take less than that.
    assert!(view[3] - 716.0 < 716.0, "{view:?}");
}

fn map(values: &[&[Option<(f64, bool)>]], is_signed: bool) -> Heatmap {
    let cell = |cell: &Option<(f64, bool)>| cell.map(|(value, is_flagged)| HeatCell { value, is_flagged });
    let cells = values.iter().map(|row| row.iter().map(cell).collect()).collect();
    Heatmap { title: "m".into(), cells, is_signed, unit: "emergence - random init".into(), scale: None }
}

fn maps(values: &[&[Option<(f64, bool)>]]) -> Heatmaps {
    Heatmaps {
        maps: vec![map(values, false)],
        x_label: "x".into(),
        y_label: "block".into(),
        columns: vec!["1".into(), "2".into()],
        n_masked: 1,
        mask: "masked".into(),
        flag: "flagged".into(),
    }
}

fn fills(svg: &str) -> Vec<&str> {
    svg.split("<rect ").skip(1).filter_map(|rect| rect.split("fill=\"").nth(1)?.split('"').next()).collect()
}

#[test]
fn maps_of_one_report_share_a_scale_without_block_1() {
    let plain = |value: f64| Some((value, false));
    // Block 1 has the most extreme values, but it is masked, so it does not affect the shared scale.
    let mut both = [
        maps(&[&[plain(9.0), plain(9.0)], &[plain(0.0), plain(1.0)]]),
        maps(&[&[plain(-9.0), plain(-9.0)], &[plain(1.0), plain(2.0)]]),
    ];
    share_scales(&mut both);
    assert_eq!(both.each_ref().map(|figure| figure.maps[0].scale), [Some((0.0, 2.0)); 2]);
    let svg =
        both.each_ref().map(|figure| figure.figure().expect("a figure").expect("cells").svg().to_owned());
    let [first, second] = svg.each_ref().map(|svg| fills(svg));
    let masked = "#DEDEDE";
    assert_eq!(first.iter().filter(|fill| **fill == masked).count(), 3, "two cells and the legend");
    // After the background and the masked cells, the first figure has the values 0 and 1, the second 1 and 2.
    assert_eq!(first[4], second[3], "equal values must have one colour");
    assert!(first[3] != first[4] && second[3] != second[4]);
}

#[test]
fn flagged_cells_are_hatched_and_masked_ones_are_not() {
    let lines = |values: &[&[Option<(f64, bool)>]]| {
        let figure = maps(values).figure().expect("a figure").expect("cells");
        (figure.svg().matches("<polyline").count(), figure.svg().contains(">\nflagged"))
    };
    let plain = lines(&[&[Some((1.0, false)); 2], &[Some((0.0, false)), Some((1.0, false))]]);
    let masked = lines(&[&[Some((1.0, true)); 2], &[Some((0.0, false)), Some((1.0, false))]]);
    let flagged = lines(&[&[Some((1.0, false)); 2], &[Some((0.0, false)), Some((1.0, true))]]);
    assert_eq!(plain, masked);
    assert!(!plain.1 && flagged.1 && flagged.0 > plain.0 + 5, "{plain:?} {flagged:?}");
}

#[test]
fn a_map_with_only_masked_cells_gives_no_figure() {
    assert!(maps(&[&[Some((1.0, false)); 2]]).figure().expect("no error").is_none());
    // A second map without a value is left out.
    let mut figure = maps(&[&[Some((1.0, false)); 2], &[Some((1.0, false)), Some((2.0, false))]]);
    figure.maps.push(map(&[&[None, None], &[None, None]], true));
    let svg = figure.figure().expect("a figure").expect("cells").svg().to_owned();
    assert_eq!(svg.matches("emergence - random init").count(), 1);
}

fn curves(panels: usize, key: Key, across: usize) -> Curves {
    let point = |x: f64| Point { x, y: x / 2.0, half: 0.1, beside: Some(0.0) };
    let n = match &key {
        Key::Names(names) => names.len(),
        Key::Sizes(sizes) => sizes.len(),
    };
    let curve = |name| Curve { name, points: vec![point(1.0), point(2.0)] };
    let panel = |at: usize| Panel { title: format!("panel {at}"), curves: (0..n).map(curve).collect() };
    Curves {
        panels: (0..panels).map(panel).collect(),
        key,
        across,
        x_label: "examples".into(),
        y_label: "share".into(),
        dashed: Some("random init".into()),
        is_count: true,
    }
}

#[test]
fn panels_without_points_are_left_out_and_figures_fit_a_page() {
    let mut two = curves(2, Key::Names(vec!["a".into()]), 2);
    two.panels[1].curves[0].points.clear();
    let figures = two.figures().expect("figures");
    assert_eq!(figures.len(), 1);
    assert!(figures[0].svg().contains("panel 0") && !figures[0].svg().contains("panel 1"));
    two.panels[0].curves.clear();
    assert!(two.figures().expect("no error").is_empty());
    // Thirty panels in three columns need ten rows, so they are divided into two figures, each shorter than a
    // page of 297 mm.
    let many = curves(30, Key::Sizes(vec![1e3, 1e4, 1e5]), 3).figures().expect("figures");
    assert_eq!(many.len(), 2);
    for figure in &many {
        let height = figure.svg().split("height=\"").nth(1).and_then(|rest| rest.split("mm").next());
        assert!(height.expect("a height").parse::<f64>().expect("a number") < 240.0);
    }
}

#[test]
fn many_models_have_a_bar_of_sizes_instead_of_a_legend() {
    let names = |n: usize| (0..n).map(|k| format!("model {k}")).collect::<Vec<String>>();
    let few = curves(1, Key::Names(names(5)), 1).figures().expect("figures");
    assert!(few[0].svg().contains("model 4"));
    let sizes: Vec<f64> = (0..20).map(|k| 1000.0 * 1.5_f64.powi(k)).collect();
    let many = curves(1, Key::Sizes(sizes), 1).figures().expect("figures");
    let svg = many[0].svg();
    assert!(
        svg.contains("parameters of the model") && svg.contains("1.0 k") && svg.contains("2.2 M"),
        "{svg}"
    );
    // Each curve has a band, which is one polygon.
    assert_eq!(svg.matches("<polygon").count(), 20);
}

#[test]
fn kinds_share_a_row_on_a_logarithmic_axis_and_the_chosen_row_is_marked() {
    let row = |name: &str, values: [f64; 3], is_marked| DotRow {
        name: name.into(),
        values: values.map(Some).into(),
        is_marked,
    };
    let dots = Dots {
        rows: vec![row("mean", [1.0, 1.0, 1.0], false), row("ridge", [0.01, 0.1, 1.0], true)],
        kinds: ["one", "two", "three"].map(Into::into).into(),
        mark: "chosen".into(),
        x_label: "error".into(),
    };
    let svg = dots.figure().expect("a figure").svg().to_owned();
    // The first kind is drawn as circles, one in each row and one in the legend.
    let (x, y) = (numbers(&svg, "circle", "cx"), numbers(&svg, "circle", "cy"));
    assert_eq!(x.len(), 3);
    // The other kinds are polygons. Equal values have the same position along the axis, but not across it.
    let corners = svg.split("<polygon ").skip(1).map(|polygon| {
        let points =
            polygon.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("points");
        let pairs: Vec<(f64, f64)> = points
            .split_whitespace()
            .map(|pair| {
                let (x, y) = pair.split_once(',').expect("a pair");
                (x.parse().expect("a number"), y.parse().expect("a number"))
            })
            .collect();
        let n = pairs.len() as f64;
        (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n)
    });
    let corners: Vec<(f64, f64)> = corners.collect();
    assert!((corners[0].0 - x[0]).abs() < 2.0 && corners[0].1 - y[0] > 8.0, "{corners:?} {x:?} {y:?}");
    // Ratios of ten have equal lengths: circle at 0.01, diamond at 0.1, triangle at 1.
    let (low, middle, high) = (x[1], corners[2].0, corners[3].0);
    assert!(((middle - low) - (high - middle)).abs() < 3.0, "{low} {middle} {high}");
    assert_eq!(svg.matches("#E1E1E1").count(), 2, "the row and the legend");
    assert!(svg.contains("chosen"));
}
