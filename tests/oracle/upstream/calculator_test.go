package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	autoscaling "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const namespace = "oracle"

var selector = labels.SelectorFromSet(labels.Set{"app": "web"})

// calculatorCase is one call of a ReplicaCalculator. Times are absolute: the bubble's clock stands at
// 2000-01-01T00:00:00Z. Values are in milli-units, periods in seconds.
type calculatorCase struct {
	Call           string            `json:"call"`
	Current        int32             `json:"current"`
	Target         int64             `json:"target"`
	Resource       string            `json:"resource"`
	Container      string            `json:"container"`
	Down           float64           `json:"down"`
	Up             float64           `json:"up"`
	Initialization float64           `json:"initialization"`
	ReadinessDelay float64           `json:"readiness_delay"`
	Pods           []*corev1.Pod     `json:"pods"`
	Samples        map[string]sample `json:"samples"`
	Values         []int64           `json:"values"`
}

type sample struct {
	Value     int64     `json:"value"`
	Timestamp time.Time `json:"timestamp"`
	Window    float64   `json:"window"`
}

type calculatorAnswer struct {
	Replicas    int32  `json:"replicas"`
	Utilization int32  `json:"utilization"`
	Usage       int64  `json:"usage"`
	Error       string `json:"error"`
}

// TestCalculator answers each case with what upstream's calculator says.
func TestCalculator(t *testing.T) {
	answerEach(t, func(t *testing.T, line []byte) any {
		var given calculatorCase
		if err := json.Unmarshal(line, &given); err != nil {
			t.Fatal(err)
		}
		var answer calculatorAnswer
		synctest.Test(t, func(t *testing.T) { answer = calculate(t.Context(), given) })
		return answer
	})
}

func calculate(ctx context.Context, given calculatorCase) calculatorAnswer {
	client := &fixedMetrics{samples: given.Samples, values: given.Values}
	calculator := podautoscaler.NewReplicaCalculator(
		client, listerOf(given.Pods), seconds(given.Initialization), seconds(given.ReadinessDelay))
	bounds := tolerances(given.Down, given.Up)
	resource := corev1.ResourceName(given.Resource)
	object := &autoscaling.CrossVersionObjectReference{Kind: "Service", Name: "web"}
	every := &metav1.LabelSelector{}
	var answer calculatorAnswer
	var err error
	switch given.Call {
	case "resource":
		answer.Replicas, answer.Utilization, answer.Usage, _, err = calculator.GetResourceReplicas(
			ctx, given.Current, int32(given.Target), resource, bounds, namespace, selector, given.Container)
	case "raw_resource":
		answer.Replicas, answer.Usage, _, err = calculator.GetRawResourceReplicas(
			ctx, given.Current, given.Target, resource, bounds, namespace, selector, given.Container)
	case "pods":
		answer.Replicas, answer.Usage, _, err = calculator.GetMetricReplicas(
			given.Current, given.Target, "m", bounds, namespace, selector, labels.Everything())
	case "object":
		answer.Replicas, answer.Usage, _, err = calculator.GetObjectMetricReplicas(
			given.Current, given.Target, "m", bounds, namespace, object, selector, labels.Everything())
	case "object_per_pod":
		answer.Replicas, answer.Usage, _, err = calculator.GetObjectPerPodMetricReplicas(
			given.Current, given.Target, "m", bounds, namespace, object, labels.Everything())
	case "external":
		answer.Replicas, answer.Usage, _, err = calculator.GetExternalMetricReplicas(
			given.Current, given.Target, "m", bounds, namespace, every, selector)
	case "external_per_pod":
		answer.Replicas, answer.Usage, _, err = calculator.GetExternalPerPodMetricReplicas(
			given.Current, given.Target, "m", bounds, namespace, every)
	default:
		err = errors.New("no such call: " + given.Call)
	}
	if err != nil {
		return calculatorAnswer{Error: err.Error()}
	}
	return answer
}

// tolerances fills upstream's unexported fields, for which it has no constructor.
func tolerances(down, up float64) podautoscaler.Tolerances {
	fields := struct{ down, up float64 }{down, up}
	return *(*podautoscaler.Tolerances)(unsafe.Pointer(&fields))
}

func listerOf(pods []*corev1.Pod) corelisters.PodLister {
	indexer := cache.NewIndexer(
		cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, pod := range pods {
		pod.Namespace = namespace
		pod.Labels = map[string]string{"app": "web"}
		if err := indexer.Add(pod); err != nil {
			panic(err)
		}
	}
	return corelisters.NewPodLister(indexer)
}

func seconds(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }

// fixedMetrics is a metrics client that gives what a test put in.
type fixedMetrics struct {
	samples map[string]sample
	values  []int64
}

func (m *fixedMetrics) podMetrics() (metrics.PodMetricsInfo, time.Time, error) {
	if len(m.samples) == 0 {
		return nil, time.Time{}, errors.New("no metrics returned from resource metrics API")
	}
	// A fresh map each time: the calculator edits it.
	found := metrics.PodMetricsInfo{}
	for name, one := range m.samples {
		found[name] = metrics.PodMetric{Timestamp: one.Timestamp, Window: seconds(one.Window), Value: one.Value}
	}
	return found, time.Now(), nil
}

func (m *fixedMetrics) GetResourceMetric(
	context.Context, corev1.ResourceName, string, labels.Selector, string,
) (metrics.PodMetricsInfo, time.Time, error) {
	return m.podMetrics()
}

func (m *fixedMetrics) GetRawMetric(
	string, string, labels.Selector, labels.Selector,
) (metrics.PodMetricsInfo, time.Time, error) {
	return m.podMetrics()
}

func (m *fixedMetrics) GetObjectMetric(
	string, string, *autoscaling.CrossVersionObjectReference, labels.Selector,
) (int64, time.Time, error) {
	if len(m.values) == 0 {
		return 0, time.Time{}, errors.New("no metrics returned from custom metrics API")
	}
	return m.values[0], time.Now(), nil
}

func (m *fixedMetrics) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	if len(m.values) == 0 {
		return nil, time.Time{}, errors.New("no metrics returned from external metrics API")
	}
	return append([]int64{}, m.values...), time.Now(), nil
}
