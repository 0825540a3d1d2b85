package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

const (
	syncPeriod = 15 * time.Second
	// A tick's state is read this long after its reconcile.
	afterTick = time.Second
)

// trajectory is an HPA and what it sees at each reconcile, 15 s apart. Values are in milli-units.
type trajectory struct {
	HPA            *autoscaling.HorizontalPodAutoscaler `json:"hpa"`
	Replicas       int32                                `json:"replicas"`
	Tolerance      float64                              `json:"tolerance"`
	Stabilization  float64                              `json:"stabilization"`
	Initialization float64                              `json:"initialization"`
	ReadinessDelay float64                              `json:"readiness_delay"`
	Pods           []*corev1.Pod                        `json:"pods"`
	Ticks          []tick                               `json:"ticks"`
}

// tick holds the values of metrics by name (absent: the metric fails) and a scale set by hand.
type tick struct {
	Values  map[string][]int64           `json:"values"`
	Samples map[string]map[string]sample `json:"samples"`
	Set     *int32                       `json:"set"`
}

type seen struct {
	Replicas int32                                     `json:"replicas"`
	Status   autoscaling.HorizontalPodAutoscalerStatus `json:"status"`
}

// TestController answers each trajectory with what upstream's controller did at each tick.
func TestController(t *testing.T) {
	// The handlers after the first back off by the real clock, which a bubble never reaches.
	utilruntime.ErrorHandlers = utilruntime.ErrorHandlers[:1]
	answerEach(t, func(t *testing.T, line []byte) any {
		var given trajectory
		if err := json.Unmarshal(line, &given); err != nil {
			t.Fatal(err)
		}
		var ticks []seen
		synctest.Test(t, func(t *testing.T) { ticks = given.run(t) })
		return ticks
	})
}

func (given *trajectory) run(t *testing.T) []seen {
	given.HPA.Namespace = namespace
	legacyscheme.Scheme.Default(given.HPA)
	client := fake.NewSimpleClientset(append([]runtime.Object{given.HPA}, podObjects(given.Pods)...)...)
	scale := &scaled{replicas: given.Replicas}
	current := &tickMetrics{}
	factory := informers.NewSharedInformerFactory(client, 0)
	ctx, cancel := context.WithCancel(t.Context())
	controller := podautoscaler.NewHorizontalController(
		ctx, client.CoreV1(), scale.client(), client.AutoscalingV2(),
		testrestmapper.TestOnlyStaticRESTMapper(legacyscheme.Scheme), current,
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
		syncPeriod, seconds(given.Stabilization), given.Tolerance,
		seconds(given.Initialization), seconds(given.ReadinessDelay))
	factory.Start(ctx.Done())
	done := make(chan struct{})
	var ticks []seen
	for index, one := range given.Ticks {
		current.tick = one
		if one.Set != nil {
			scale.replicas = *one.Set
		}
		if index == 0 {
			go func() { controller.Run(ctx, 1); close(done) }()
			time.Sleep(afterTick)
		} else {
			time.Sleep(syncPeriod)
		}
		synctest.Wait()
		hpa, err := client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, given.HPA.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ticks = append(ticks, seen{Replicas: scale.replicas, Status: hpa.Status})
	}
	cancel()
	<-done
	factory.Shutdown()
	return ticks
}

func podObjects(pods []*corev1.Pod) []runtime.Object {
	var objects []runtime.Object
	for _, pod := range pods {
		pod.Namespace = namespace
		pod.Labels = map[string]string{"app": "web"}
		objects = append(objects, pod)
	}
	return objects
}

// scaled is a target whose status follows its spec at once.
type scaled struct{ replicas int32 }

func (s *scaled) client() *scalefake.FakeScaleClient {
	client := &scalefake.FakeScaleClient{}
	client.AddReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace},
			Spec:       autoscalingv1.ScaleSpec{Replicas: s.replicas},
			Status:     autoscalingv1.ScaleStatus{Replicas: s.replicas, Selector: "app=web"},
		}, nil
	})
	client.AddReactor("update", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		updated := action.(clienttesting.UpdateAction).GetObject().(*autoscalingv1.Scale)
		s.replicas = updated.Spec.Replicas
		return true, updated, nil
	})
	return client
}

// tickMetrics gives the values of the present tick.
type tickMetrics struct{ tick tick }

var errNoMetric = errors.New("no metrics returned from the metrics API")

func (m *tickMetrics) samplesOf(name string) (metrics.PodMetricsInfo, time.Time, error) {
	found, there := m.tick.Samples[name]
	if !there {
		return nil, time.Time{}, errNoMetric
	}
	return (&fixedMetrics{samples: found}).podMetrics()
}

func (m *tickMetrics) GetResourceMetric(
	_ context.Context, resource corev1.ResourceName, _ string, _ labels.Selector, _ string,
) (metrics.PodMetricsInfo, time.Time, error) {
	return m.samplesOf(string(resource))
}

func (m *tickMetrics) GetRawMetric(
	name string, _ string, _ labels.Selector, _ labels.Selector,
) (metrics.PodMetricsInfo, time.Time, error) {
	return m.samplesOf(name)
}

func (m *tickMetrics) GetObjectMetric(
	name string, _ string, _ *autoscaling.CrossVersionObjectReference, _ labels.Selector,
) (int64, time.Time, error) {
	values, there := m.tick.Values[name]
	if !there {
		return 0, time.Time{}, errNoMetric
	}
	return values[0], time.Now(), nil
}

func (m *tickMetrics) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	values, there := m.tick.Values[name]
	if !there {
		return nil, time.Time{}, errNoMetric
	}
	return append([]int64{}, values...), time.Now(), nil
}
